//! The size budget: what a first visit downloads may not grow unnoticed.
//!
//! `client/size-budget` holds the size that was last agreed to.

use crate::failure::Result;
use crate::{files, project};
use std::path::{Path, PathBuf};

/// Brotli bytes of WASM and JavaScript together that the client may never exceed.
const BYTES_MAX: u64 = 220 * 1024;
/// How far a build may be from the size agreed to, in percent.
const SLACK_PERCENT: u64 = 2;

/// The brotli bytes of WASM and JavaScript of a finished client.
pub(crate) fn measure(client: &Path) -> Result<u64> {
    let counts = |file: &PathBuf| {
        let name = file.to_string_lossy();
        name.ends_with(".wasm.br") || name.ends_with(".js.br")
    };
    let sizes = files::below(client)?.into_iter().filter(counts);
    Ok(sizes.filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum())
}

/// Holds a size against the budget: what to say, or why it fails.
pub(crate) fn check(bytes: u64) -> Result<String> {
    let agreed = files::read_text(&file()).ok().and_then(|text| text.trim().parse().ok());
    verdict(bytes, agreed).map_err(Into::into)
}

/// Agrees to a size, unless it is over the limit.
pub(crate) fn accept(bytes: u64) -> Result {
    verdict(bytes, Some(bytes))?;
    files::write(&file(), format!("{bytes}\n"))
}

fn file() -> PathBuf {
    project::root().join("client/size-budget")
}

fn verdict(bytes: u64, agreed: Option<u64>) -> std::result::Result<String, String> {
    const ACCEPT: &str = "`cargo xtask build --accept-size` agrees to it";
    if bytes > BYTES_MAX {
        return Err(format!("the client is {bytes} bytes, and {BYTES_MAX} is the most it may have"));
    }
    let Some(agreed) = agreed else {
        return Err(format!("the client is {bytes} bytes, and client/size-budget names no size: {ACCEPT}"));
    };
    if bytes * 100 > agreed * (100 + SLACK_PERCENT) {
        return Err(format!("the client grew from {agreed} to {bytes} bytes: {ACCEPT}"));
    }
    if bytes * 100 < agreed * (100 - SLACK_PERCENT) {
        return Ok(format!(
            "the client shrank from {agreed} to {bytes} bytes: {ACCEPT}, so that it stays so"
        ));
    }
    Ok(format!("the client is {bytes} bytes of the {agreed} agreed to"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_percent_of_growth_pass_and_more_fails() {
        assert!(verdict(102_000, Some(100_000)).is_ok());
        assert!(verdict(102_001, Some(100_000)).unwrap_err().contains("102001"));
    }

    #[test]
    fn a_smaller_client_passes_and_says_so() {
        assert!(!verdict(98_000, Some(100_000)).unwrap().contains("shrank"));
        assert!(verdict(97_999, Some(100_000)).unwrap().contains("shrank"));
    }

    #[test]
    fn the_limit_holds_whatever_was_agreed_to() {
        assert!(verdict(BYTES_MAX, Some(BYTES_MAX)).is_ok());
        assert!(verdict(BYTES_MAX + 1, Some(BYTES_MAX + 1)).is_err());
        assert!(verdict(1, None).is_err());
    }
}
