//! Settings of the tests in environment variables.

/// Reads a number from an environment variable. Returns `None` if it is not set.
pub fn number_of(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a whole number, not {text:?}")))
}
