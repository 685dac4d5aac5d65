//! `Seq` and `Epoch`: together, a reader's [`Position`] in a topic.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::malformed::Malformed;

/// The place of an event in its topic. The first event has 1 and there are no holes; 0 means "nothing yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first event.
    pub const ZERO: Seq = Seq(0);

    /// The place that follows.
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }

    /// The place before, or zero.
    pub fn before(self) -> Seq {
        Seq(self.0.saturating_sub(1))
    }

    /// Counts the events after `earlier`, up to this one; 0 if it is not earlier.
    pub fn since(self, earlier: Seq) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The epoch of a log: an opaque name of 1 to 32 characters. A log that was made anew or restored has another one, and
/// every position of the old one is void.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "Arc<str>")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[A-Za-z0-9]{1,32}$")))]
pub struct Epoch(Arc<str>);

impl Epoch {
    /// The epoch as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Epoch {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Epoch, Malformed> {
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(Epoch(text.into())) } else { Err(Malformed("must be 1 to 32 letters and digits")) }
    }
}

impl From<Epoch> for Arc<str> {
    fn from(epoch: Epoch) -> Arc<str> {
        epoch.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reader's whole position in a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Position {
    /// The epoch in which `seq` counts.
    pub epoch: Epoch,
    /// The last event applied.
    pub seq: Seq,
}
