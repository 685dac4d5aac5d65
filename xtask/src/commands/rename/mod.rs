//! `cargo xtask rename NAME`: renames the project, in every form in which its name occurs.

#[cfg(test)]
mod fork_tests;
mod name;

use crate::failure::{Failure, Result};
use crate::markers::{self, Marker};
use crate::source_tree::{self, TextFiles};
use crate::{cargo, console, files, process, project};
use name::Name;
use std::path::Path;

/// Folder of this command. The names in its examples are not the project's.
const OWN_FOLDER: &str = "xtask/src/commands/rename/";
/// Picture that shows the template's name.
const SCREENSHOT: &str = "assets/screenshot.png";
/// Names for tests. They may occur nowhere else, or `rename` would refuse them.
pub(crate) const NAMES: [&str; 2] = ["acme-board", "quagga"];
/// Length of an excerpt from a line.
const EXCERPT_CHARS_MAX: usize = 100;

/// Renames the project. Refuses if git could not restore it, unless `--force` is given.
pub(super) fn run(args: &[String]) -> Result {
    let force = args.iter().any(|arg| arg == "--force");
    let names: Vec<&String> = args.iter().filter(|arg| *arg != "--force").collect();
    let &[new] = names.as_slice() else {
        return Err(Failure::Usage("rename needs one name: `cargo xtask rename NAME`".into()));
    };
    if new == project::NAME {
        return Err(format!("the project is already named `{new}`").into());
    }
    Name::parse(new).map_err(Failure::Usage)?;
    let root = project::root();
    if !force {
        source_tree::require_clean(root)?;
    }
    let changed = apply(root, project::NAME, new)?;
    process::run(&mut cargo::command("fmt --all"))?;
    console::note(&format!("renamed {} to {new} in {} files", project::NAME, changed.len()));
    if changed.iter().any(|path| path == SCREENSHOT) {
        console::note(
            "removed what is only true of the template: the introduction and the screenshot in README.md, and the \
             cap in client/size-budget (set your own if you want one)",
        );
    }
    console::note(
        "next: write your own introduction in README.md, replace assets/icon.svg, and try `cargo xtask run`",
    );
    Ok(())
}

/// Renames the project in that folder. Returns the paths of all changed files.
pub(crate) fn apply(root: &Path, old: &str, new: &str) -> Result<Vec<String>> {
    let before = source_tree::read(root)?;
    let after = rename_texts(&before, old, new)?;
    let mut changed = source_tree::write(root, &before, &after)?;
    if files::remove(&root.join(SCREENSHOT))? {
        changed.push(SCREENSHOT.to_owned());
    }
    Ok(changed)
}

/// Renames the project in its text files and removes what is only true of the template. Licences keep the names of
/// their authors.
///
/// Refuses a name that already occurs as a word: a second rename could not tell the word from the name.
fn rename_texts(texts: &TextFiles, old: &str, new: &str) -> Result<TextFiles> {
    let old = Name::parse(old)?;
    let new = Name::parse(new)?;
    let mut renamed = TextFiles::new();
    for (path, text) in texts {
        if keeps_name(path) {
            renamed.insert(path.clone(), text.clone());
            continue;
        }
        let stripped = markers::strip(Marker::Template, path, text)?;
        let text = stripped.as_ref().unwrap_or(text);
        if let Some(place) = find_use(&new, &old, path, text) {
            return Err(format!(
                "`{}` is already used as a word in the project, and later nobody could tell the word from the name: \
                 choose another name. It occurs in {place}",
                new.kebab
            )
            .into());
        }
        renamed.insert(old.replace_in(path, &new), old.replace_in(text, &new));
    }
    Ok(renamed)
}

fn keeps_name(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.starts_with("LICENSE") || file == "Cargo.lock" || path.starts_with(OWN_FOLDER)
}

/// Describes the first place where a file already uses the new name.
fn find_use(new: &Name, old: &Name, path: &str, text: &str) -> Option<String> {
    let Some(number) = new.first_line_in(text, old) else {
        return new.first_line_in(path, old).map(|_| format!("the path {path}"));
    };
    let line = text.lines().nth(number - 1).unwrap_or_default().trim();
    let position = new.find_in(line).unwrap_or(0);
    Some(format!("{path}, line {number}:\n    {}", excerpt(line, position)))
}

/// Part of a long line that fits on a screen, with the byte position near its middle.
fn excerpt(line: &str, position: usize) -> String {
    let before = line[..position].char_indices().rev().take(EXCERPT_CHARS_MAX / 2).last();
    let begin = before.map_or(position, |(at, _)| at);
    let shown: String = line[begin..].chars().take(EXCERPT_CHARS_MAX).collect();
    if begin > 0 { format!("…{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[(&str, &str)]) -> TextFiles {
        texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn an_excerpt_of_a_long_line_shows_the_position() {
        let line = format!("{} app {}", "ä".repeat(200), "b".repeat(200));
        let shown = excerpt(&line, line.find("app").unwrap());
        assert!(shown.starts_with("…ä") && shown.contains(" app b"), "{shown}");
        assert_eq!(excerpt("an app", 3), "an app");
    }

    #[test]
    fn texts_and_paths_take_the_name_and_licences_keep_theirs() {
        let before = texts(&[
            ("LICENSE-MIT", "The Echo contributors"),
            (
                "README.md",
                "# Echo\n<!-- template: begin -->\nA template.\n<!-- template: end -->\nRun `echo`.\n",
            ),
            ("deploy/echo.service", "ExecStart=/usr/local/bin/echo\n"),
        ]);
        let after = texts(&[
            ("LICENSE-MIT", "The Echo contributors"),
            ("README.md", "# My App\nRun `my-app`.\n"),
            ("deploy/my-app.service", "ExecStart=/usr/local/bin/my-app\n"),
        ]);
        assert_eq!(rename_texts(&before, "echo", "my-app").unwrap(), after);
    }

    #[test]
    fn a_word_that_the_project_uses_is_refused_with_its_place() {
        let before = texts(&[("src/a.rs", "one\n  let talk = echo();\n")]);
        let failure = rename_texts(&before, "echo", "talk").unwrap_err();
        let reason = failure.message().unwrap();
        assert!(reason.contains("src/a.rs, line 2:\n    let talk = echo();"), "{reason}");
        assert!(rename_texts(&before, "echo", "my-talk").is_ok());
    }

    #[test]
    fn a_project_can_be_renamed_twice_and_back() {
        let before =
            texts(&[("Cargo.toml", "name = \"echo\"\n"), ("a.rs", "ECHO_LISTEN Echo echo_sessions\n")]);
        for (first, second) in
            [("reed", "cane"), ("tall-reed", "reed"), ("reed", "tall-reed"), ("a-b", "b-a")]
        {
            let once = rename_texts(&before, "echo", first).unwrap();
            let twice = rename_texts(&once, first, second).unwrap();
            assert_eq!(rename_texts(&twice, second, "echo").unwrap(), before, "{first}, {second}");
        }
    }
}
