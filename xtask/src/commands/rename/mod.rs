//! `cargo xtask rename NAME`: the project takes that name, in every form in which it carries its own.

#[cfg(test)]
mod fork_tests;
mod name;

use crate::failure::{Failure, Result};
use crate::markers::{self, Marker};
use crate::source_tree::{self, TextFiles};
use crate::{cargo, console, files, process, project};
use name::Name;
use std::path::Path;

/// The folder that this command lives in: the names in its examples are no project's.
const OWN_FOLDER: &str = "xtask/src/commands/rename/";
/// Our own sources, which speak of the marks without being marked.
const UNMARKED: &str = "xtask/";
/// A picture of the template, which shows the template's name.
const SCREENSHOT: &str = "assets/screenshot.png";
/// Good names for tests. They stand here and nowhere else, or they would be words that the project uses.
pub(crate) const NAMES: [&str; 2] = ["acme-board", "quagga"];
/// As much of a line as is shown of it.
const LINE_CHARS_MAX: usize = 100;

/// Refuses where there would be no way back; `--force` goes on.
pub(super) fn run(args: &[String]) -> Result {
    let force = args.iter().any(|arg| arg == "--force");
    let words: Vec<&String> = args.iter().filter(|arg| *arg != "--force").collect();
    let &[new] = words.as_slice() else {
        return Err(Failure::Usage("rename wants one name: `cargo xtask rename NAME`".into()));
    };
    if new == project::NAME {
        return Err(format!("the project is named `{new}` already: nothing to do").into());
    }
    Name::parse(new).map_err(Failure::Usage)?;
    let root = project::root();
    if !force {
        source_tree::require_clean(root)?;
    }
    let changed = apply(root, project::NAME, new)?;
    process::run(&mut cargo::command("fmt --all"))?;
    console::note(&format!("{} is now {new}, in {} files", project::NAME, changed.len()));
    if changed.iter().any(|path| path == SCREENSHOT) {
        console::note(
            "what spoke of the template is gone: the introduction and the screenshot in README.md, and the cap in \
             client/size-budget, which a product sets for itself",
        );
    }
    console::note(
        "yours to change next: the beginning of README.md, and assets/icon.svg; `cargo xtask run` shows it",
    );
    Ok(())
}

/// Renames the project in that folder. The paths of what changed.
pub(crate) fn apply(root: &Path, old: &str, new: &str) -> Result<Vec<String>> {
    let before = source_tree::read(root)?;
    let after = rename_texts(&before, old, new)?;
    let mut changed = source_tree::write(root, &before, &after)?;
    if files::remove(&root.join(SCREENSHOT))? {
        changed.push(SCREENSHOT.to_owned());
    }
    Ok(changed)
}

/// The project's texts under another name, without what is true of the template alone. Licences stay as they are:
/// their authors stay who they are.
///
/// Refuses a name that a text uses as a word: a second rename could not tell one from the other.
fn rename_texts(texts: &TextFiles, old: &str, new: &str) -> Result<TextFiles> {
    let (old, new) = (Name::parse(old)?, Name::parse(new)?);
    let mut renamed = TextFiles::new();
    for (path, text) in texts {
        let file = path.rsplit('/').next().unwrap_or(path);
        if file.starts_with("LICENSE") || file == "Cargo.lock" || path.starts_with(OWN_FOLDER) {
            renamed.insert(path.clone(), text.clone());
            continue;
        }
        let rest =
            if path.starts_with(UNMARKED) { None } else { markers::strip(Marker::Template, path, text)? };
        let text = rest.as_ref().unwrap_or(text);
        if let Some(place) = find_use(&new, &old, path, text) {
            return Err(format!(
                "`{}` is a word that the project uses: once it is the name, nobody can tell one from the other. \
                 It stands in {place}\nChoose another name",
                new.kebab
            )
            .into());
        }
        renamed.insert(old.replace_in(path, &new), old.replace_in(text, &new));
    }
    Ok(renamed)
}

/// The place where a file uses the new name already.
fn find_use(new: &Name, old: &Name, path: &str, text: &str) -> Option<String> {
    let Some(number) = new.first_line_in(text, old) else {
        return new.first_line_in(path, old).map(|_| format!("the path {path}"));
    };
    let line = text.lines().nth(number - 1).unwrap_or_default().trim();
    Some(format!("{path}, line {number}:\n    {}", excerpt(line, new.find_in(line).unwrap_or(0))))
}

/// As much of a long line as fits on a screen, that place in the middle.
fn excerpt(line: &str, place: usize) -> String {
    let before = line[..place].char_indices().rev().take(LINE_CHARS_MAX / 2).last();
    let begin = before.map_or(place, |(at, _)| at);
    let shown: String = line[begin..].chars().take(LINE_CHARS_MAX).collect();
    if begin > 0 { format!("…{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[(&str, &str)]) -> TextFiles {
        texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn of_a_long_line_the_place_is_shown() {
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
    fn a_word_that_the_project_uses_is_refused_with_the_place_where_it_stands() {
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
