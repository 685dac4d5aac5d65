//! `Identity`: a person, as others see them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::characters;
use crate::malformed::Malformed;

/// The length of a display name, also in the error. Doc comments that become the contract's prose name it too.
macro_rules! name_chars_max {
    () => {
        40
    };
}
const NAME_CHARS_MAX: usize = name_chars_max!();

/// The id of a person, which stays when their name changes. Opaque; made by the server.
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// The id, which stays the same for as long as the person keeps their sign-in.
    pub id: UserId,
    /// The name that others see.
    pub name: DisplayName,
}

/// A person's name as others see it: 1 to 40 characters that others can read, trimmed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "Arc<str>")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("pattern" = characters::pattern::of_name(NAME_CHARS_MAX)))
)]
pub struct DisplayName(Arc<str>);

impl DisplayName {
    /// Trims a new name, and checks its length (in Unicode scalar values) and that others can read it.
    pub fn parse(text: &str) -> Result<DisplayName, Malformed> {
        let name = of_good_length(text)?;
        if !characters::has_visible(name) {
            Err(Malformed("must contain at least one visible letter, digit or symbol"))
        } else if name.chars().any(char::is_control) {
            Err(Malformed("must not contain control characters"))
        } else if characters::has_needless_invisible(name) {
            Err(Malformed("must not contain invisible characters or ones that change the direction of text"))
        } else if !name.starts_with(characters::is_visible) {
            Err(Malformed("must begin with a letter, digit or symbol"))
        } else if characters::has_piled_marks(name) {
            Err(Malformed("must not have more than four accents on one letter"))
        } else {
            Ok(DisplayName(name.into()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads a name that was accepted before, perhaps by a version with fewer rules than [`DisplayName::parse`] has.
impl TryFrom<String> for DisplayName {
    type Error = Malformed;

    fn try_from(text: String) -> Result<DisplayName, Malformed> {
        of_good_length(&text).map(|name| DisplayName(name.into()))
    }
}

fn of_good_length(text: &str) -> Result<&str, Malformed> {
    let name = text.trim();
    let is_good = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    is_good.then_some(name).ok_or(Malformed(concat!("must have 1 to ", name_chars_max!(), " characters")))
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
    /// 1 to 40 characters once it is trimmed. It begins with a letter, digit or symbol, and has no control characters
    /// and no invisible ones, except where an emoji or the spelling of a word needs them.
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

    #[test]
    fn a_name_is_one_that_others_can_read() {
        for name in
            ["Ada", "李小龍", "Zoe\u{308}", "🦀", "O'Neil 3rd", "👩\u{200d}💻 Grace", "علی\u{200c}رضا"]
        {
            assert!(DisplayName::parse(name).is_ok(), "{name:?}");
        }
        let refused = |name: &str| DisplayName::parse(name).unwrap_err().0;
        for unseen in ["\u{200b}", "\u{3164}", "\u{2800}\u{2800}", "\u{301}\u{302}"] {
            assert!(refused(unseen).contains("visible letter"), "{unseen:?}");
        }
        for name in ["A\u{200b}da", "Eve\u{202e}", "\u{2066}Ada", "A\u{ad}da", "Ada\u{e0041}"] {
            assert!(refused(name).contains("invisible"), "{name:?}");
        }
        assert!(refused("\u{301}a").contains("begin with"));
        assert!(refused(&format!("a{}", "\u{301}".repeat(39))).contains("accents"));
    }

    #[test]
    fn a_name_that_an_older_version_accepted_is_still_read() {
        for name in ["\u{200b}", "Eve\u{202e}", "\u{301}\u{302}"] {
            let json = serde_json::to_string(name).unwrap();
            assert_eq!(serde_json::from_str::<DisplayName>(&json).unwrap().as_str(), name);
        }
    }
}
