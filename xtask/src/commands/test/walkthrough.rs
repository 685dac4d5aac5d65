//! README chapter "Add a feature", applied to a project as a reader would by hand.
//!
//! A new file is a code block below a line that contains its path in bold and as code. An edit is a `diff` block whose
//! first line is `+++` and the path. Its other lines begin with a space (context) or `+` (added), and `@@` separates
//! hunks. The context lines of a hunk must occur exactly once in the file.

use crate::failure::Result;
use crate::files;
use std::path::Path;

/// Heading of the chapter, which ends at the next heading of the same level.
const CHAPTER: &str = "## Add a feature";

/// One code block that changes a file.
struct CodeBlock {
    /// Its first line in the README, from 1.
    line: usize,
    /// Path relative to the project's root.
    file: String,
    change: Edit,
}

enum Edit {
    /// Text of a new file.
    Create(String),
    Edit(Vec<Hunk>),
}

/// Consecutive lines of a file, without and with the added ones.
#[derive(Default)]
struct Hunk {
    /// Its first line in the README, from 1.
    line: usize,
    before: Vec<String>,
    after: Vec<String>,
}

/// Applies the chapter to a project. Returns false if there is nothing to do: one of its new files is there already, or
/// the chapter has been deleted.
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

/// Parses the blocks of the chapter, in order. Returns none if there is no chapter.
fn parse_blocks(readme: &str) -> Result<Vec<CodeBlock>, String> {
    let mut lines = (1..).zip(readme.lines());
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
            // Shell commands change no file.
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

fn parse_block(line: usize, language: &str, above: &str, content: &[&str]) -> Result<CodeBlock, String> {
    if language == "diff" {
        let (first, rest) = content.split_first().unwrap_or((&"", &[]));
        let file = first.strip_prefix("+++ ").ok_or_else(|| {
            format!("README.md:{line}: begin this edit with `+++` and the path of the file that it changes")
        })?;
        return Ok(CodeBlock { line, file: file.into(), change: Edit::Edit(parse_hunks(line + 1, rest)?) });
    }
    let file = above.strip_prefix("**`").and_then(|rest| rest.strip_suffix("`**"));
    let file = file.ok_or_else(|| {
        format!("README.md:{line}: name the new file on a line above this block, as **`path/of/the.file`**")
    })?;
    Ok(CodeBlock { line, file: file.into(), change: Edit::Create(content.join("\n") + "\n") })
}

fn parse_hunks(first: usize, lines: &[&str]) -> Result<Vec<Hunk>, String> {
    let mut hunks = Vec::new();
    let mut hunk = Hunk { line: first, ..Hunk::default() };
    for (number, line) in (first..).zip(lines) {
        if *line == "@@" {
            hunks.push(hunk);
            hunk = Hunk { line: number + 1, ..Hunk::default() };
            continue;
        }
        let (prefix, text) = line.split_at_checked(1).unwrap_or((" ", ""));
        match prefix {
            "+" => hunk.after.push(text.into()),
            " " => {
                hunk.before.push(text.into());
                hunk.after.push(text.into());
            }
            _ => return Err(format!("README.md:{number}: begin this line with a space or with `+`")),
        }
    }
    hunks.push(hunk);
    match hunks.iter().find(|hunk| hunk.before.is_empty()) {
        Some(Hunk { line, .. }) => Err(format!("README.md:{line}: add a line of context to this edit")),
        None => Ok(hunks),
    }
}

impl CodeBlock {
    fn is_applied(&self, root: &Path) -> bool {
        matches!(self.change, Edit::Create(_)) && root.join(&self.file).exists()
    }

    /// Text of the file after the change; `present` is its text before, if it exists.
    fn apply_to(&self, present: Option<&str>) -> Result<String, String> {
        let CodeBlock { line, file, change } = self;
        match (change, present) {
            (Edit::Create(text), None) => Ok(text.clone()),
            (Edit::Create(_), Some(_)) => {
                Err(format!("README.md:{line}: {file} already exists: make this block an edit of it"))
            }
            (Edit::Edit(_), None) => {
                Err(format!("README.md:{line}: there is no file {file}: name the one that this edit changes"))
            }
            (Edit::Edit(hunks), Some(text)) => {
                let mut lines: Vec<&str> = text.lines().collect();
                for hunk in hunks {
                    let position = hunk
                        .position_in(&lines)
                        .map_err(|reason| format!("README.md:{}: {file} {reason}", hunk.line))?;
                    let replaced = position..position + hunk.before.len();
                    lines.splice(replaced, hunk.after.iter().map(String::as_str));
                }
                Ok(lines.join("\n") + "\n")
            }
        }
    }
}

impl Hunk {
    /// Index of its first context line in a file. The context must occur exactly once.
    fn position_in(&self, lines: &[&str]) -> Result<usize, String> {
        let windows = lines.windows(self.before.len()).enumerate();
        let positions: Vec<usize> =
            windows.filter(|(_, window)| *window == self.before).map(|(position, _)| position).collect();
        match positions.as_slice() {
            [position] => Ok(*position),
            [] => Err("no longer has these lines: copy the context of this edit from it again".into()),
            several => Err(format!(
                "has these lines {} times: add context to this edit until they occur once",
                several.len()
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

    fn edited(lines: &str, text: &str) -> Result<String, String> {
        parse_blocks(&edit(lines))?[0].apply_to(Some(text))
    }

    #[test]
    fn a_new_file_is_the_block_below_its_name_and_nothing_outside_of_the_chapter_counts() {
        let blocks = parse_blocks(NEW).unwrap();
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].file, "src/notes.rs");
        assert_eq!(blocks[0].apply_to(None).unwrap(), "//! Notes.\n\nfn notes() {}\n");
        assert!(
            blocks[0]
                .apply_to(Some(""))
                .unwrap_err()
                .starts_with("README.md:14: src/notes.rs already exists")
        );
    }

    #[test]
    fn lines_are_added_where_their_context_is() {
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
            "README.md:5: mod.rs no longer has these lines: copy the context of this edit from it again"
        );
        let error = edited(" one\n+new", "one\none\n").unwrap_err();
        assert_eq!(
            error,
            "README.md:5: mod.rs has these lines 2 times: add context to this edit until they occur once"
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
