//! The chat, which is the demo: users write messages in rooms.

use serde::{Deserialize, Serialize};

use crate::{Event, Malformed, NAME_GRAMMAR, Seq, Topic, TopicKind, characters};

/// The longest text of a message, in Unicode scalar values.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// The room that always exists.
pub const FIRST_ROOM: &str = "general";

/// The URL of the list of rooms: GET.
pub const ROOMS: &str = "/api/chat/rooms";
/// The pattern behind [`messages`], as the server's router spells it.
pub const MESSAGES: &str = "/api/chat/rooms/{room}/messages";

/// The URL to which a message to `room` is posted.
pub fn messages(room: &str) -> String {
    format!("{ROOMS}/{room}/messages")
}

/// The topic kind of rooms. The name of a room is the name of its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room;

impl TopicKind for Room {
    const NAMESPACE: &'static str = "chat";
    type Event = ChatEvent;
    type Signal = ChatSignal;
}

/// An event in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ChatEvent {
    /// A user posted a message.
    Posted {
        /// 1 to 2,000 characters, trimmed.
        text: MessageText,
    },
}

/// A signal in a room, which is not logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ChatSignal {
    /// The user is typing.
    Typing,
    /// The user has sent or discarded what they typed.
    Stopped,
}

impl ChatEvent {
    /// The size in bytes of the JSON payload of a message with this text, to compare with the node's limit.
    pub fn payload_bytes(text: &str) -> usize {
        const ENVELOPE: &str = r#"{"posted":{"text":""}}"#;
        let text = cleaned(text);
        // Of the characters that a message can contain, JSON escapes only these, with a backslash each.
        let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t')).count();
        ENVELOPE.len() + text.len() + escaped
    }
}

/// The text of a message: 1 to 2,000 characters (Unicode scalar values), trimmed, without control characters other than
/// newline and tab. So even the longest one has less than 8,192 bytes as a payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("minLength" = 1, "maxLength" = TEXT_CHARS_MAX, "pattern" = characters::pattern::with_visible()))
)]
pub struct MessageText(String);

impl MessageText {
    /// Cleans a text that a user typed, and checks its length and that it has a visible character.
    pub fn parse(text: &str) -> Result<MessageText, Malformed> {
        let text = cleaned(text);
        match text.chars().count() {
            0 => Err(Malformed("must not be empty")),
            1..=TEXT_CHARS_MAX if characters::has_visible(&text) => Ok(MessageText(text)),
            1..=TEXT_CHARS_MAX => Err(Malformed("must contain at least one visible letter, digit or symbol")),
            _ => Err(Malformed("must have 2,000 characters at most")),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Cleans a text that was accepted before, perhaps by a version with fewer rules than [`MessageText::parse`].
impl From<String> for MessageText {
    fn from(text: String) -> MessageText {
        MessageText(cleaned(&text))
    }
}

impl From<MessageText> for String {
    fn from(text: MessageText) -> String {
        text.0
    }
}

/// Trims `text`, normalizes its line ends to `\n`, and drops control characters other than newline and tab.
fn cleaned(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String =
        lines.chars().filter(|char| !char.is_control() || matches!(char, '\n' | '\t')).collect();
    kept.trim().into()
}

/// A message as a user typed it: the body of a POST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = NewMessage { text: "hello".into() })
)]
pub struct NewMessage {
    /// 1 to 2,000 characters once it is trimmed and control characters are gone; at least one of them is visible.
    #[cfg_attr(feature = "schema", schemars(with = "MessageText"))]
    pub text: String,
}

/// The list of rooms, the one with the latest event first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rooms {
    /// The hundred with the latest events, and `general` in any case.
    pub rooms: Vec<RoomSummary>,
}

/// A room in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomSummary {
    /// The topic's name.
    pub name: String,
    /// Its newest seq.
    pub head: Seq,
    /// The number of members.
    pub online: u64,
    /// Its newest event; null before the first message.
    pub last: Option<Event>,
}

/// The topic of a room, or an error that states the rule of its name.
pub fn room_topic(name: &str) -> Result<Topic, Malformed> {
    Room::topic(name).map_err(|_| Malformed(NAME_GRAMMAR))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Payload, Pull, endpoint};

    #[test]
    fn the_boot_script_asks_early_for_the_urls_that_the_client_will_ask_for() {
        let boot = include_str!("../../../assets/boot.js");
        assert!(boot.contains(&format!("ask(\"{ROOMS}\")")));
        let first_page = Pull { after: None, heard: Seq::ZERO };
        let of_room = endpoint::pull(&room_topic("room").unwrap(), &first_page).replace(":room", ":${room}");
        assert!(boot.contains(&format!("ask(`{of_room}`)")), "{of_room}");
    }

    #[test]
    fn a_message_keeps_newlines_and_tabs_and_no_other_control_characters() {
        let cleaned = MessageText::parse("\u{1} one\r\ntwo\rthree\u{0}\tfour\u{85} \u{7f}").unwrap();
        assert_eq!(cleaned.as_str(), "one\ntwo\nthree\tfour");
        assert!(MessageText::parse(&"\u{1}".repeat(2_000)).unwrap_err().0.contains("empty"));
        assert!(MessageText::parse("\u{200b}\u{301}").unwrap_err().0.contains("visible"));
    }

    #[test]
    fn a_message_that_an_older_version_accepted_is_read_and_cleaned() {
        let read = |json: &str| serde_json::from_str::<ChatEvent>(json).unwrap();
        let ChatEvent::Posted { text } = read(r#"{"posted":{"text":"a\u0001b\u0085"}}"#);
        assert_eq!(text.as_str(), "ab");
        let ChatEvent::Posted { text } = read(r#"{"posted":{"text":"\u200b"}}"#);
        assert_eq!(text.as_str(), "\u{200b}");
    }

    #[test]
    fn the_size_of_a_payload_is_computed_without_encoding_it() {
        let longest = ["x", "\"", "\\", "\n", "\t", "é", "字", "🦀", "\u{2028}", "\u{1}"];
        for char in longest.map(|char| format!("a{}b", char.repeat(TEXT_CHARS_MAX - 2))) {
            let posted = ChatEvent::Posted { text: MessageText::parse(&char).unwrap() };
            let bytes = Payload::of(&posted).unwrap().as_json().len();
            assert_eq!(ChatEvent::payload_bytes(&char), bytes, "{:?}", char.chars().nth(1));
            assert!(bytes <= 8_192, "{bytes} bytes are over the default limit");
        }
    }
}
