//! Size budget: the download of a first visit must not grow unnoticed.
//!
//! `client/size-budget` holds the size that was last accepted (`agreed BYTES`) and optionally an upper limit
//! (`cap BYTES`). Each product chooses its own.

use crate::failure::Result;
use crate::{files, project};
use std::path::Path;

/// Path of the budget, relative to the project's root.
const FILE: &str = "client/size-budget";
/// Change in percent that a build may have without being accepted.
const SLACK_PERCENT: u64 = 2;

/// Contents of the budget file, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct SizeBudget {
    agreed: Option<u64>,
    cap: Option<u64>,
}

/// Adds up the Brotli-compressed WASM and JavaScript in a client folder, in bytes.
pub(crate) fn measure(client: &Path) -> Result<u64> {
    let mut sum = 0;
    for file in files::walk(client)? {
        let name = file.to_string_lossy();
        if name.ends_with(".wasm.br") || name.ends_with(".js.br") {
            sum += files::read(&file)?.len() as u64;
        }
    }
    Ok(sum)
}

/// Compares a size with the budget. Returns a message for the user; fails if the size is over the budget.
pub(crate) fn check(bytes: u64) -> Result<String> {
    let text = files::read_text(&project::root().join(FILE))?;
    compare(bytes, parse(&text)?).map_err(Into::into)
}

/// Writes a size into the budget and returns a message for the user; fails if the size is over the cap.
pub(crate) fn accept(bytes: u64) -> Result<String> {
    let file = project::root().join(FILE);
    let text = files::read_text(&file)?;
    let budget = parse(&text)?;
    compare(bytes, SizeBudget { agreed: Some(bytes), ..budget })?;
    files::write(&file, with_agreed(&text, bytes))?;
    Ok(match budget.agreed {
        Some(agreed) if agreed == bytes => format!("{FILE}: {bytes} bytes, unchanged"),
        Some(agreed) => format!("{FILE}: {bytes} bytes instead of {agreed} ({})", percent(agreed, bytes)),
        None => format!("{FILE}: {bytes} bytes"),
    })
}

fn parse(text: &str) -> Result<SizeBudget, String> {
    let mut budget = SizeBudget::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = line.split_once(' ').and_then(|(name, bytes)| Some((name, bytes.trim().parse().ok()?)));
        match entry {
            Some(("agreed", bytes)) => budget.agreed = Some(bytes),
            Some(("cap", bytes)) => budget.cap = Some(bytes),
            _ => {
                return Err(format!(
                    "{FILE}:{number}: `{line}` is neither `agreed BYTES` nor `cap BYTES`; after a merge, remove \
                     the conflict markers and run `cargo xtask accept`"
                ));
            }
        }
    }
    Ok(budget)
}

/// Replaces the accepted size in the file's text and leaves everything else as it is.
fn with_agreed(text: &str, bytes: u64) -> String {
    let agreed = format!("agreed {bytes}\n");
    let is_agreed = |line: &str| line.trim_start().starts_with("agreed ");
    if !text.lines().any(is_agreed) {
        return agreed + text;
    }
    text.split_inclusive('\n').map(|line| if is_agreed(line) { &agreed } else { line }).collect()
}

/// Returns a message for the user, as an error if the size is over the budget.
fn compare(bytes: u64, budget: SizeBudget) -> Result<String, String> {
    const ACCEPT: &str = "run `cargo xtask accept`";
    if let Some(cap) = budget.cap
        && bytes > cap
    {
        return Err(format!(
            "the client is {bytes} bytes, over the cap of {cap}: make it smaller, or raise or delete the line \
             `cap {cap}` in {FILE}"
        ));
    }
    let Some(agreed) = budget.agreed else {
        return Err(format!("the client is {bytes} bytes, and {FILE} has no size yet: {ACCEPT} to add it"));
    };
    let change = percent(agreed, bytes);
    if bytes * 100 > agreed * (100 + SLACK_PERCENT) {
        return Err(format!(
            "the client grew from {agreed} to {bytes} bytes ({change}): {ACCEPT} if it should"
        ));
    }
    if bytes * 100 < agreed * (100 - SLACK_PERCENT) {
        return Ok(format!(
            "the client shrank from {agreed} to {bytes} bytes ({change}): {ACCEPT} to keep it that small"
        ));
    }
    Ok(format!("the client is {bytes} bytes; the budget is {agreed}"))
}

/// Formats a change: `+2.5 percent`.
fn percent(before: u64, after: u64) -> String {
    let change = (after as f64 - before as f64) / (before.max(1) as f64) * 100.0;
    format!("{change:+.1} percent")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(bytes: u64) -> SizeBudget {
        SizeBudget { agreed: Some(bytes), cap: None }
    }

    #[test]
    fn two_percent_of_growth_pass_and_more_fails_and_names_the_command() {
        assert!(compare(102_000, agreed(100_000)).is_ok());
        let failure = compare(102_100, agreed(100_000)).unwrap_err();
        assert!(failure.contains("+2.1 percent") && failure.contains("cargo xtask accept"), "{failure}");
    }

    #[test]
    fn a_smaller_client_passes_and_says_so() {
        assert!(!compare(98_000, agreed(100_000)).unwrap().contains("shrank"));
        assert!(compare(97_999, agreed(100_000)).unwrap().contains("shrank"));
    }

    #[test]
    fn the_cap_limits_every_size_and_without_one_any_size_can_be_accepted() {
        let capped = |bytes| compare(bytes, SizeBudget { agreed: Some(bytes), cap: Some(1_000) });
        assert!(capped(1_000).is_ok());
        assert!(capped(1_001).unwrap_err().contains("delete the line `cap 1000` in client/size-budget"));
        assert!(compare(1_001, agreed(1_001)).is_ok());
        assert!(compare(1, SizeBudget::default()).unwrap_err().contains("cargo xtask accept"));
    }

    #[test]
    fn a_new_size_leaves_the_rest_of_the_file_unchanged() {
        let text = "# Bytes.\nagreed 100\n# Ours.\ncap 200\n";
        assert_eq!(parse(text), Ok(SizeBudget { agreed: Some(100), cap: Some(200) }));
        assert_eq!(with_agreed(text, 150), "# Bytes.\nagreed 150\n# Ours.\ncap 200\n");
        assert_eq!(with_agreed("cap 200\n", 150), "agreed 150\ncap 200\n");
    }

    #[test]
    fn an_invalid_line_is_named() {
        for line in ["agreed", "agreed many", "limit 5", "<<<<<<< HEAD"] {
            assert!(parse(&format!("# Bytes.\n{line}\n")).unwrap_err().contains("client/size-budget:2"));
        }
    }
}
