//! Source files as text, and the names in them. No parser: `use` paths and paths in the code look alike.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One file of ours.
pub struct Source {
    /// From the root, with slashes.
    pub path: String,
    /// The whole.
    pub text: String,
}

impl Source {
    /// The code without comments and without unit tests.
    pub fn product_code(&self) -> String {
        let code = self.code();
        let code = code.split("mod tests {").next().unwrap_or("");
        // A visibility is no use of what it names.
        code.replace("pub(in crate::", "pub(in ").replace("pub(in super::super)", "pub")
    }

    /// The text without comments.
    pub fn code(&self) -> String {
        self.text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    /// The part of its crate that it belongs to: the first folder or file below `src`, and of `http` the folder too.
    pub fn part(&self) -> &str {
        let below = self.path.split_once("/src/").map_or("", |(_, below)| below);
        let end = match below.strip_prefix("http/").and_then(|rest| rest.find('/')) {
            Some(end) => "http/".len() + end,
            None => below.find('/').unwrap_or(below.len()),
        };
        below[..end].trim_end_matches(".rs")
    }

    /// The names of the types and traits at the top level of the file.
    pub fn types(&self) -> Vec<String> {
        let code = self.product_code();
        let names = code.lines().filter_map(|line| {
            let line = line
                .strip_prefix("pub ")
                .or(line.strip_prefix("pub(crate) "))
                .or(line.strip_prefix("pub(super) "))
                .unwrap_or(line);
            let rest =
                ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| line.strip_prefix(word))?;
            Some(rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("").to_owned())
        });
        names.collect()
    }

    /// The first line of each doc comment, with its number.
    pub fn doc_openings(&self) -> Vec<(usize, String)> {
        let mut openings = Vec::new();
        let mut before = "";
        for (number, line) in (1..).zip(self.text.lines()) {
            let line = line.trim_start();
            for mark in ["///", "//!"] {
                if line.starts_with(mark) && !before.starts_with(mark) {
                    openings.push((number, line.trim_start_matches(mark).trim().to_owned()));
                }
            }
            before = line;
        }
        openings
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the server lies in the root").to_owned()
}

/// True if there is a file or a folder of that path below the root.
pub fn exists(path: &str) -> bool {
    root().join(path.trim_start_matches('/')).exists()
}

/// The text of a file below the root.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("our files are text")
}

/// All `.rs` files below a folder of the root.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} holds nothing to check");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("our folders can be read") {
        let path = entry.expect("our folders can be read").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root()).expect("it lies below the root").display().to_string();
            found.push(Source { path: name, text: fs::read_to_string(&path).expect("our files are text") });
        }
    }
}

/// Returns the names directly below `path::` in `code`, also those of a group: `path::{one, two::three}` names `one` and `two`.
pub fn named_below(code: &str, path: &str) -> BTreeSet<String> {
    let path = format!("{path}::");
    let after = code.match_indices(&path).filter(|(at, _)| !code[..*at].ends_with(is_of_a_name));
    after.flat_map(|(at, _)| first_names(&code[at + path.len()..])).collect()
}

fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == ':'
}

fn first_names(rest: &str) -> Vec<String> {
    let name =
        |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}
