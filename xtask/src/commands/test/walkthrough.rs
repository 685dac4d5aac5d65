//! The README's chapter "Add a feature", applied as a reader would by hand.
//!
//! A new file is a code block below a line that holds its name in bold and as code. An edit is a `diff` block whose
//! first line is `+++` and the file; its other lines begin with a space where they are context and with `+` where they
//! are added, and `@@` stands between two hunks of one file. A context is one run of lines, found exactly once.

use crate::failure::Result;
use crate::files;
use std::path::Path;

/// The heading of the chapter, which ends with the next heading of its level.
const CHAPTER: &str = "## Add a feature";

/// One code block that changes a file.
pub(super) struct Block {
    /// Its first line in the README, from 1.
    line: usize,
    /// The file's path from the project's root.
    file: String,
    change: Change,
}

enum Change {
    /// The whole text of a file that is new.
    Create(String),
    /// Places to edit, each with its first line in the README.
    Edit(Vec<(usize, Hunk)>),
}

/// Neighbouring lines of a file, without and with what is added.
#[derive(Default)]
struct Hunk {
    before: Vec<String>,
    after: Vec<String>,
}

/// Applies the chapter to the project below `root`. Returns whether there was anything to apply: a project that has
/// one of its new files has followed it already, and one without the chapter has deleted it.
pub(super) fn apply(root: &Path) -> Result<bool> {
    let blocks = parse_blocks(&files::read_text(&root.join("README.md"))?)?;
    if blocks.is_empty() || blocks.iter().any(|block| block.is_applied(root)) {
        return Ok(false);
    }
    for block in &blocks {
        let path = root.join(&block.file);
        let present = if path.exists() { Some(files::read_text(&path)?) } else { None };
        files::write(&path, block.apply_to(present.as_deref())?)?;
    }
    Ok(true)
}

/// The blocks of the chapter, in order; none where there is no chapter.
fn parse_blocks(readme: &str) -> std::result::Result<Vec<Block>, String> {
    let mut lines = readme.lines().enumerate().map(|(index, line)| (index + 1, line));
    let mut blocks = Vec::new();
    if !lines.any(|(_, line)| line == CHAPTER) {
        return Ok(blocks);
    }
    let mut above = "";
    while let Some((number, line)) = lines.next() {
        if line.starts_with("## ") {
            break;
        }
        if let Some(language) = line.strip_prefix("```") {
            let content: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            // What is typed into a terminal changes no file here.
            if language != "sh" {
                blocks.push(parse_block(number + 1, language, above, &content)?);
            }
        }
        if !line.trim().is_empty() {
            above = line;
        }
    }
    Ok(blocks)
}

fn parse_block(
    line: usize,
    language: &str,
    above: &str,
    content: &[&str],
) -> std::result::Result<Block, String> {
    if language == "diff" {
        let named = content.split_first().and_then(|(first, rest)| Some((first.strip_prefix("+++ ")?, rest)));
        let (file, rest) = named.ok_or_else(|| {
            format!("README.md:{line}: begin this edit with `+++` and the path of the file that it changes")
        })?;
        return Ok(Block { line, file: file.into(), change: Change::Edit(parse_hunks(line + 1, rest)?) });
    }
    let file = above.strip_prefix("**`").and_then(|rest| rest.strip_suffix("`**"));
    let file = file.ok_or_else(|| {
        format!("README.md:{line}: name the new file on a line above this block, as **`path/of/the.file`**")
    })?;
    Ok(Block { line, file: file.into(), change: Change::Create(content.join("\n") + "\n") })
}

fn parse_hunks(first: usize, lines: &[&str]) -> std::result::Result<Vec<(usize, Hunk)>, String> {
    let mut hunks = vec![(first, Hunk::default())];
    for (number, line) in (first..).zip(lines) {
        if *line == "@@" {
            hunks.push((number + 1, Hunk::default()));
            continue;
        }
        let (mark, text) = line.split_at_checked(1).unwrap_or((" ", ""));
        if let Some((_, hunk)) = hunks.last_mut() {
            match mark {
                "+" => hunk.after.push(text.into()),
                " " => {
                    hunk.before.push(text.into());
                    hunk.after.push(text.into());
                }
                _ => return Err(format!("README.md:{number}: begin this line with a space or with `+`")),
            }
        }
    }
    match hunks.iter().find(|(_, hunk)| hunk.before.is_empty()) {
        Some((number, _)) => Err(format!("README.md:{number}: add a line of context to this edit")),
        None => Ok(hunks),
    }
}

impl Block {
    fn is_applied(&self, root: &Path) -> bool {
        matches!(self.change, Change::Create(_)) && root.join(&self.file).exists()
    }

    /// The file's text once the block is applied to what is there.
    fn apply_to(&self, present: Option<&str>) -> std::result::Result<String, String> {
        let Block { line, file, change } = self;
        match (change, present) {
            (Change::Create(text), None) => Ok(text.clone()),
            (Change::Create(_), Some(_)) => {
                Err(format!("README.md:{line}: {file} is there already: make this block an edit of it"))
            }
            (Change::Edit(_), None) => {
                Err(format!("README.md:{line}: there is no file {file}: name the one that this edit changes"))
            }
            (Change::Edit(hunks), Some(text)) => {
                let mut lines: Vec<&str> = text.lines().collect();
                for (line, hunk) in hunks {
                    let at =
                        hunk.position_in(&lines).map_err(|why| format!("README.md:{line}: {file} {why}"))?;
                    lines.splice(at..at + hunk.before.len(), hunk.after.iter().map(String::as_str));
                }
                Ok(lines.join("\n") + "\n")
            }
        }
    }
}

impl Hunk {
    /// The index of the first of its lines, which must stand at one hunk only.
    fn position_in(&self, lines: &[&str]) -> std::result::Result<usize, String> {
        let windows = lines.windows(self.before.len()).enumerate();
        let mut found = windows.filter(|(_, window)| *window == self.before).map(|(at, _)| at);
        match (found.next(), found.count()) {
            (Some(at), 0) => Ok(at),
            (None, _) => Err("has no such lines any more: copy the context of this edit from it anew".into()),
            (Some(_), more) => Err(format!(
                "has these lines {} times: add context to this edit until it has one hunk",
                more + 1
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markers::{self, Marker};
    use crate::project;

    const NEW: &str = "# App\n\n```rust\nignored\n```\n\n## Add a feature\n\nText.\n\n**`src/notes.rs`**\n\n```rust\n//! Notes.\n\nfn notes() {}\n```\n\n## More\n\n```rust\nignored\n```\n";

    fn edit(lines: &str) -> String {
        format!("## Add a feature\n\n```diff\n+++ mod.rs\n{lines}\n```\n")
    }

    fn edited(lines: &str, text: &str) -> std::result::Result<String, String> {
        parse_blocks(&edit(lines))?[0].apply_to(Some(text))
    }

    #[test]
    fn a_new_file_is_the_block_below_its_name_and_nothing_outside_of_the_chapter_counts() {
        let blocks = parse_blocks(NEW).unwrap();
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].file, "src/notes.rs");
        assert_eq!(blocks[0].apply_to(None).unwrap(), "//! Notes.\n\nfn notes() {}\n");
        assert!(blocks[0].apply_to(Some("")).unwrap_err().starts_with("README.md:14: src/notes.rs is there"));
    }

    #[test]
    fn lines_are_added_where_their_context_stands() {
        let text = "one\n\ntwo\nthree\n";
        assert_eq!(edited(" one\n\n+new\n two", text).unwrap(), "one\n\nnew\ntwo\nthree\n");
        assert_eq!(edited("+new\n one\n@@\n three\n+last", text).unwrap(), "new\none\n\ntwo\nthree\nlast\n");
    }

    #[test]
    fn a_context_that_is_not_found_once_fails_with_the_line_the_file_and_the_remedy() {
        let error = edited("@@\n gone\n+new", "one\n").unwrap_err();
        assert_eq!(error, "README.md:5: add a line of context to this edit");
        let error = edited(" gone\n+new", "one\n").unwrap_err();
        assert_eq!(
            error,
            "README.md:5: mod.rs has no such lines any more: copy the context of this edit from it anew"
        );
        let error = edited(" one\n+new", "one\none\n").unwrap_err();
        assert_eq!(
            error,
            "README.md:5: mod.rs has these lines 2 times: add context to this edit until it has one hunk"
        );
        assert!(
            parse_blocks(&edit(" one\n+new")).unwrap()[0]
                .apply_to(None)
                .unwrap_err()
                .contains("no file mod.rs")
        );
    }

    #[test]
    fn a_block_that_names_no_file_or_takes_a_line_away_is_refused() {
        let chapter =
            |block: &str| parse_blocks(&format!("## Add a feature\n\n{block}")).map(|blocks| blocks.len());
        assert_eq!(chapter("```sh\ncargo run\n```\n"), Ok(0));
        assert!(chapter("```rust\nfn a() {}\n```\n").unwrap_err().contains("name the new file"));
        assert!(chapter("```diff\n one\n+two\n```\n").unwrap_err().contains("begin this edit"));
        assert!(chapter("```diff\n+++ a.rs\n one\n-two\n```\n").unwrap_err().contains("README.md:6"));
    }

    #[test]
    fn the_chapter_fits_the_project_with_the_demo_and_without_it() {
        let root = project::root();
        let blocks = parse_blocks(&files::read_text(&root.join("README.md")).unwrap()).unwrap();
        if blocks.iter().any(|block| block.is_applied(root)) {
            return;
        }
        for block in blocks {
            let path = root.join(&block.file);
            let Some(present) = path.exists().then(|| files::read_text(&path).unwrap()) else {
                block.apply_to(None).unwrap();
                continue;
            };
            block.apply_to(Some(&present)).unwrap();
            if let Some(rest) = markers::strip(Marker::Demo, &block.file, &present).unwrap() {
                block.apply_to(Some(&rest)).unwrap();
            }
        }
    }
}
