//! `cargo xtask accept`: agrees to what a change was meant to change, and says how much that is.
//!
//! Two things are written down so that neither changes unnoticed: the wire, in the golden files, and the size of the
//! client, in `client/size-budget`. Nearly every new feature changes both.

use crate::args::parse_flags;
use crate::client::{self, budget, cost};
use crate::failure::Result;
use crate::source_tree::{self, TextFiles};
use crate::{cargo, console, process, project};
use std::collections::HashMap;

/// The golden files, below the project's folder.
const GOLDEN: &str = "tests/golden";

/// Writes the golden files and the budget anew. There is nothing to choose.
pub(super) fn run(args: &[String]) -> Result {
    parse_flags(args, &[])?;
    let folder = project::root().join(GOLDEN);
    let before = source_tree::read(&folder)?;
    console::step("writing the golden files", "by the tests that compare them, which need the server");
    write_golden_files()?;
    let changes = changes(&before, &source_tree::read(&folder)?);
    if changes.is_empty() {
        console::note("the golden files were right already");
    }
    changes.iter().for_each(|change| console::note(change));
    let client = client::build()?;
    console::note(&budget::accept(budget::measure(&client)?)?);
    console::note(&cost::last_report()?);
    Ok(())
}

/// Runs the tests that compare golden files so that they write them: all that have `pinned` in their names.
fn write_golden_files() -> Result {
    // With all packages named, so that cargo chooses the same features as for all tests together.
    process::run(&mut cargo::command("build --workspace --features server/otel --example probe"))?;
    process::run(
        cargo::command("test --workspace --features server/otel --test main pinned")
            .env("UPDATE_GOLDEN", "1"),
    )
}

/// A line for each file that differs.
fn changes(before: &TextFiles, after: &TextFiles) -> Vec<String> {
    let written = after.iter().filter_map(|(path, text)| match before.get(path) {
        Some(old) if old == text => None,
        Some(old) => {
            let (added, removed) = lines_changed(old, text);
            Some(format!("{GOLDEN}/{path}: {added} lines added, {removed} removed"))
        }
        None => Some(format!("{GOLDEN}/{path}: new, {} lines", text.lines().count())),
    });
    written.collect()
}

/// Counts the lines that the later text has and the earlier has not, and the other way round, wherever they stand.
fn lines_changed(before: &str, after: &str) -> (usize, usize) {
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
    fn only_files_that_differ_are_told_with_how_much_that_is() {
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
