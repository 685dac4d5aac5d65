//! `Event`: one durable, numbered fact. The engine reads the envelope; only the feature reads the payload.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::malformed::Malformed;
use crate::{Identity, Seq, Topic};

/// Integer milliseconds since the Unix epoch, UTC.
pub type Millis = i64;

/// An event of a topic. Once a reader has seen it, it never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// The topic that it belongs to.
    pub topic: Topic,
    /// Its place in the topic.
    pub seq: Seq,
    /// The time at which the node accepted it.
    pub at: Millis,
    /// The person who published it, under the name of that moment.
    pub author: Identity,
    /// The author's idempotency key. It makes a retry harmless, and matches the event to the author's own pending copy.
    pub key: Key,
    /// The content, of the topic kind's event type.
    pub payload: Payload,
}

/// JSON that the engine carries and never looks into.
// Cheap to clone.
#[derive(Clone, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Payload(#[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))] Arc<RawValue>);

impl Payload {
    /// Encodes a feature's value. Fails only for values that JSON cannot represent, such as maps whose keys are not strings.
    pub fn of<T: Serialize>(value: &T) -> Result<Payload, serde_json::Error> {
        Ok(Payload(serde_json::value::to_raw_value(value)?.into()))
    }

    /// Wraps JSON text. Fails if it is not exactly one JSON value.
    pub fn from_json(text: String) -> Result<Payload, serde_json::Error> {
        Ok(Payload(RawValue::from_string(text)?.into()))
    }

    /// Reads the payload as a feature's type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0.get())
    }

    /// The JSON text, exactly as it crosses the wire.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        Ok(Payload(Box::<RawValue>::deserialize(deserializer)?.into()))
    }
}

/// Two payloads are equal if their JSON text is. The log compares them to recognise a retry.
impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        self.as_json() == other.as_json()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

/// An `Idempotency-Key`: 1 to 64 of `[A-Za-z0-9_-]`, made by the author, unique among their events in the topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "Arc<str>")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[A-Za-z0-9_-]{1,64}$")))]
pub struct Key(Arc<str>);

impl Key {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Key {
    type Error = Malformed;

    fn try_from(text: &str) -> Result<Key, Malformed> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Key(text.into()))
        } else {
            Err(Malformed("must be 1 to 64 of A-Z, a-z, 0-9, _ and -"))
        }
    }
}

impl TryFrom<String> for Key {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Key, Malformed> {
        Key::try_from(text.as_str())
    }
}

impl From<Key> for Arc<str> {
    fn from(key: Key) -> Arc<str> {
        key.0
    }
}
