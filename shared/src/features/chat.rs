//! The demo: people in rooms write lines.

use serde::{Deserialize, Serialize};

use crate::{Event, Malformed, NAME_GRAMMAR, Seq, Topic, TopicKind};

/// The longest line, in Unicode scalar values.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Something that is no white space.
#[cfg(feature = "schema")]
const TEXT_PATTERN: &str = r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";

/// The rooms: GET.
pub const ROOMS: &str = "/api/chat/rooms";
/// The pattern behind [`messages`], as the server's router spells it.
pub const MESSAGES: &str = "/api/chat/rooms/{room}/messages";

/// Where a message to `room` is posted.
pub fn messages(room: &str) -> String {
    format!("{ROOMS}/{room}/messages")
}

/// A room is a topic of this kind; its name is the topic's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room;

impl TopicKind for Room {
    const NAMESPACE: &'static str = "chat";
    type Event = ChatEvent;
    type Signal = ChatSignal;
}

/// What happens in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ChatEvent {
    /// Somebody wrote a line.
    Posted {
        /// 1 to 2,000 characters, trimmed.
        text: MessageText,
    },
}

/// What is said in a room in passing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ChatSignal {
    /// Somebody is writing.
    Typing,
    /// They have sent or thrown away what they wrote.
    Stopped,
}

/// A line of chat: 1 to 2,000 characters (Unicode scalar values), trimmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("minLength" = 1, "maxLength" = TEXT_CHARS_MAX, "pattern" = TEXT_PATTERN))
)]
pub struct MessageText(String);

impl MessageText {
    /// Trims `text` and checks its length.
    pub fn parse(text: &str) -> Result<MessageText, Malformed> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err(Malformed("must not be empty")),
            1..=TEXT_CHARS_MAX => Ok(MessageText(text.into())),
            _ => Err(Malformed("must have 2,000 characters at most")),
        }
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MessageText {
    type Error = Malformed;

    fn try_from(text: String) -> Result<MessageText, Malformed> {
        MessageText::parse(&text)
    }
}

impl From<MessageText> for String {
    fn from(text: MessageText) -> String {
        text.0
    }
}

/// A line as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = NewMessage { text: "hello".into() })
)]
pub struct NewMessage {
    /// 1 to 2,000 characters once it is trimmed.
    #[cfg_attr(feature = "schema", schemars(with = "MessageText"))]
    pub text: String,
}

/// The rooms, the one with the latest event first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rooms {
    /// Those with the latest events, at most a hundred.
    pub rooms: Vec<RoomSummary>,
}

/// One room, as the lobby shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomSummary {
    /// The topic's name.
    pub name: String,
    /// Its newest seq.
    pub head: Seq,
    /// How many people are there.
    pub online: u64,
    /// Its newest event.
    pub last: Option<Event>,
}

/// The room's topic, or an error that says how a room may be called.
pub fn room_topic(name: &str) -> Result<Topic, Malformed> {
    Room::topic(name).map_err(|_| Malformed(NAME_GRAMMAR))
}
