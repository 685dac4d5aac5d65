//! `Topic`: the name of one stream of events, `namespace:name`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::malformed::Malformed;

/// The grammar of each part of a topic, in words and as a regular expression without anchors: the one place to change it.
macro_rules! part {
    (words) => {
        "1 to 63 of a-z, 0-9, _ and -"
    };
    (pattern) => {
        "[a-z0-9][a-z0-9_-]{0,62}"
    };
}

/// The grammar of a topic's name, in words that follow the name of a field.
pub const NAME_GRAMMAR: &str = concat!("must be ", part!(words), ", and begin with a letter or digit");
/// The grammar of a topic's name as a regular expression without anchors.
pub const NAME_PATTERN: &str = part!(pattern);

const PART_CHARS_MAX: usize = 63;
const GRAMMAR: &str =
    concat!("must be namespace:name, each part ", part!(words), ", beginning with a letter or digit");
#[cfg(feature = "schema")]
const PATTERN: &str = concat!("^", part!(pattern), ":", part!(pattern), "$");

/// A named stream of events, spelt `[a-z0-9][a-z0-9_-]{0,62}:[a-z0-9][a-z0-9_-]{0,62}`.
// Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "Arc<str>")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = PATTERN)))]
pub struct Topic(Arc<str>);

impl Topic {
    /// Makes the topic `namespace:name`; the error says which characters are allowed.
    pub fn new(namespace: &str, name: &str) -> Result<Topic, Malformed> {
        if is_part(namespace) && is_part(name) {
            Ok(Topic(format!("{namespace}:{name}").into()))
        } else {
            Err(Malformed(GRAMMAR))
        }
    }

    /// The part before the colon, which names the feature.
    pub fn namespace(&self) -> &str {
        self.parts().0
    }

    /// The part after the colon.
    pub fn name(&self) -> &str {
        self.parts().1
    }

    /// The whole, `namespace:name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once(':').expect("a topic is only built with a colon")
    }
}

/// True if `part` may stand on either side of a topic's colon.
fn is_part(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    part.len() <= PART_CHARS_MAX
        && part.bytes().next().is_some_and(plain)
        && part.bytes().all(|byte| plain(byte) || byte == b'_' || byte == b'-')
}

impl FromStr for Topic {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Topic, Malformed> {
        let (namespace, name) = text.split_once(':').ok_or(Malformed(GRAMMAR))?;
        Topic::new(namespace, name)
    }
}

impl TryFrom<String> for Topic {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Topic, Malformed> {
        text.parse()
    }
}

impl From<Topic> for Arc<str> {
    fn from(topic: Topic) -> Arc<str> {
        topic.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_keeps_its_two_parts() {
        let topic: Topic = "probe:topic-2".parse().unwrap();
        assert_eq!((topic.namespace(), topic.name()), ("probe", "topic-2"));
    }

    #[test]
    fn a_text_that_breaks_the_grammar_is_refused() {
        let long = format!("probe:{}", "x".repeat(64));
        for text in
            ["", "probe", "probe:", ":a", "probe:A", "probe:-a", "probe:a:b", "probe:ä", "probe:a b", &long]
        {
            assert!(text.parse::<Topic>().is_err(), "{text:?} was taken for a topic");
        }
        assert!(format!("probe:{}", "x".repeat(63)).parse::<Topic>().is_ok());
    }
}
