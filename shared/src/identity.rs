//! `Identity`: who is asking, as others see them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Malformed;

const NAME_CHARS_MAX: usize = 40;
/// [`DisplayName::parse`] as a pattern: any white space around one visible character, or two with 38 others between
/// them at most.
#[cfg(feature = "schema")]
const NAME_PATTERN: &str = concat!(
    r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*",
    r"[^\u0000- \u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
    r"([^\u0000-\u001f\u007f-\u009f]{0,38}",
    r"[^\u0000- \u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?",
    r"[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$",
);

/// Names one person for good, whatever they call themselves. Opaque; made by the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserId(pub Arc<str>);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person: an id that stays and a name that may change. An event keeps the name it was published under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// Stays the same for as long as the person keeps their sign-in.
    pub id: UserId,
    /// What the others see.
    pub name: DisplayName,
}

/// What a person is called: 1 to 40 characters, trimmed, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "Arc<str>")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("pattern" = NAME_PATTERN))
)]
pub struct DisplayName(Arc<str>);

impl DisplayName {
    /// Trims `text` and checks its length (in Unicode scalar values) and its characters.
    pub fn parse(text: &str) -> Result<DisplayName, Malformed> {
        let name = text.trim();
        if name.chars().any(char::is_control) {
            Err(Malformed("must not contain control characters"))
        } else if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) {
            Ok(DisplayName(name.into()))
        } else {
            Err(Malformed("must have 1 to 40 characters"))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DisplayName {
    type Error = Malformed;

    fn try_from(text: String) -> Result<DisplayName, Malformed> {
        DisplayName::parse(&text)
    }
}

impl From<DisplayName> for Arc<str> {
    fn from(name: DisplayName) -> Arc<str> {
        name.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = NewIdentity { name: "Ada Lovelace".into() })
)]
pub struct NewIdentity {
    /// 1 to 40 characters once it is trimmed, no control characters.
    #[cfg_attr(feature = "schema", schemars(with = "DisplayName"))]
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_measured_in_characters() {
        assert_eq!(DisplayName::parse("  Ada \n").unwrap().as_str(), "Ada");
        assert!(DisplayName::parse(&"é".repeat(40)).is_ok());
        assert!(DisplayName::parse(&"é".repeat(41)).is_err());
        assert!(DisplayName::parse(" \t ").is_err());
        assert!(DisplayName::parse("A\u{7}da").is_err());
    }
}
