//! `cargo xtask accept`: accepts intended changes and reports how large they are.
//!
//! Two things are recorded so that they cannot change unnoticed: the wire format, in the golden files, and the size of
//! the client, in `client/size-budget`. Nearly every new feature changes both.

use crate::args::parse_flags;
use crate::client::{self, budget, cost};
use crate::failure::Result;
use crate::source_tree::{self, TextFiles};
use crate::{cargo, console, process, project};
use std::collections::HashMap;

/// Folder of the golden files, relative to the project's root.
const GOLDEN: &str = "tests/golden";

/// Updates the golden files and the size budget. Takes no flags.
pub(super) fn run(args: &[String]) -> Result {
    parse_flags(args, &[])?;
    let folder = project::root().join(GOLDEN);
    let before = source_tree::read(&folder)?;
    console::step(
        "updating the golden files",
        "by running the tests that compare them, which need the server",
    );
    update_golden_files()?;
    let changes = changes(&before, &source_tree::read(&folder)?);
    if changes.is_empty() {
        console::note("the golden files are unchanged");
    }
    for change in &changes {
        console::note(change);
    }
    let client = client::build()?;
    console::note(&budget::accept(budget::measure(&client)?)?);
    console::note(&cost::last_report()?);
    Ok(())
}

/// Runs the tests that compare golden files, which have `pinned` in their names, in a mode that writes the files.
fn update_golden_files() -> Result {
    // All packages are named so that cargo chooses the same features as for all tests together.
    process::run(&mut cargo::command("build --workspace --features server/otel --example probe"))?;
    let mut tests = cargo::command("test --workspace --features server/otel --test main pinned");
    process::run(tests.env("UPDATE_GOLDEN", "1"))
}

/// Describes each file that differs in one line.
fn changes(before: &TextFiles, after: &TextFiles) -> Vec<String> {
    let mut changes = Vec::new();
    for (path, text) in after {
        match before.get(path) {
            Some(old) if old == text => (),
            Some(old) => {
                let (added, removed) = count_changed_lines(old, text);
                changes.push(format!("{GOLDEN}/{path}: {added} lines added, {removed} removed"));
            }
            None => changes.push(format!("{GOLDEN}/{path}: new, {} lines", text.lines().count())),
        }
    }
    changes
}

/// Counts the lines that only the new text has and those that only the old one has. Moved lines do not count.
fn count_changed_lines(before: &str, after: &str) -> (usize, usize) {
    let mut balance: HashMap<&str, i64> = HashMap::new();
    after.lines().for_each(|line| *balance.entry(line).or_default() += 1);
    before.lines().for_each(|line| *balance.entry(line).or_default() -= 1);
    let sum = |sign: i64| balance.values().map(|count| (sign * count).max(0) as usize).sum();
    (sum(1), sum(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_are_listed_with_the_number_of_lines() {
        let texts = |texts: &[(&str, &str)]| -> TextFiles {
            texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
        };
        let before = texts(&[("same.json", "1\n"), ("product/openapi.json", "a\nb\nb\n")]);
        let after =
            texts(&[("same.json", "1\n"), ("product/openapi.json", "b\nc\nd\na\n"), ("new.json", "{}\n")]);
        assert_eq!(
            changes(&before, &after),
            [
                "tests/golden/new.json: new, 1 lines",
                "tests/golden/product/openapi.json: 2 lines added, 1 removed"
            ]
        );
        assert!(changes(&after, &after).is_empty());
    }
}
