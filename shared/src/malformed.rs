//! `Malformed`: the error of every value that is parsed from the wire.

/// A value of the wire that breaks its grammar. The text names the rule, so that it can be shown as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);
