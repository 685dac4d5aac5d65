//! The rows of a room as they are shown: day separators, grouped messages, pending messages.
//!
//! Plain data without a browser: the caller passes the function that maps a time to its day.

use std::sync::Arc;

use shared::features::chat::NewMessage;
use shared::{Identity, Key, Millis, Seq, UserId};

use crate::features::chat::timeline::{Block, Message};
use crate::realtime::{PendingPost, SendState};

/// The longest time between two messages of one group.
const GROUP_MS_MAX: Millis = 5 * 60_000;

/// A row of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// The separator above the first message of a day.
    Day { number: i64, at: Millis },
    /// The separator above the first unread message.
    New,
    /// A message.
    Message(MessageRow),
}

/// A message as it is shown. Rows are immutable: a message that looks different is another row.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRow {
    pub(super) message: Arc<Message>,
    /// Continues the group of the row above, which has the same author.
    pub(super) continues: bool,
    /// Written by the user.
    pub(super) is_own: bool,
    /// The progress of sending; `None` once the message is in the log.
    pub(super) state: Option<SendState>,
}

/// The identity of a row in the list. Rows with the same id look the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowId {
    Day(i64),
    New,
    /// A message by seq and key (after a restore of the log another one may have the seq), whether it continues a group,
    /// and the class of its state.
    Message(Seq, Key, bool, Option<&'static str>),
}

impl MessageRow {
    /// The CSS class for the progress of sending.
    pub(super) fn state_class(&self) -> Option<&'static str> {
        self.state.as_ref().map(|state| match state {
            SendState::Queued | SendState::Acked(_) => "pending",
            SendState::Failed(_) => "failed",
            SendState::Held => "held",
        })
    }
}

impl Row {
    /// The identity of the row in the list.
    pub fn id(&self) -> RowId {
        match self {
            Row::Day { number, .. } => RowId::Day(*number),
            Row::New => RowId::New,
            Row::Message(row) => {
                let Message { seq, key, .. } = &*row.message;
                RowId::Message(*seq, key.clone(), row.continues, row.state_class())
            }
        }
    }
}

/// The rows of a block below the message `above`, as `me` sees them. [`Row::New`] is above the message `new_from`.
pub fn rows_of(
    above: Option<Arc<Message>>,
    block: &Block,
    new_from: Option<Seq>,
    me: &UserId,
    day_of: impl Fn(Millis) -> i64,
) -> Vec<Row> {
    let messages = block.messages.iter().map(|message| (message.clone(), None));
    rows(above, messages, new_from, me, day_of)
}

/// The rows of the pending posts of `me`, below the message `above`.
pub fn rows_of_pending(
    above: Option<Arc<Message>>,
    posts: &[PendingPost],
    me: &Identity,
    day_of: impl Fn(Millis) -> i64,
) -> Vec<Row> {
    let messages = posts.iter().filter_map(|post| pending_message(post, me));
    rows(above, messages, None, &me.id, day_of)
}

fn rows(
    mut above: Option<Arc<Message>>,
    messages: impl Iterator<Item = (Arc<Message>, Option<SendState>)>,
    new_from: Option<Seq>,
    me: &UserId,
    day_of: impl Fn(Millis) -> i64,
) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut day_above = above.as_ref().map(|above| day_of(above.at));
    for (message, state) in messages {
        let day = day_of(message.at);
        let is_new_day = day_above != Some(day);
        if is_new_day {
            rows.push(Row::Day { number: day, at: message.at });
        }
        let is_first_new = state.is_none() && new_from == Some(message.seq);
        if is_first_new {
            rows.push(Row::New);
        }
        let follows_separator = is_new_day || is_first_new;
        let continues = !follows_separator && above.is_some_and(|above| is_one_group(&above, &message));
        let is_own = message.author.id == *me;
        above = Some(message.clone());
        day_above = Some(day);
        rows.push(Row::Message(MessageRow { message, continues, is_own, state }));
    }
    rows
}

fn is_one_group(above: &Message, message: &Message) -> bool {
    above.author == message.author && message.at - above.at < GROUP_MS_MAX
}

/// The message that a pending post will become. `None` if its body cannot be decoded.
fn pending_message(post: &PendingPost, me: &Identity) -> Option<(Arc<Message>, Option<SendState>)> {
    let NewMessage { text } = post.body.read().ok()?;
    let message = Message { seq: Seq::ZERO, at: post.at, author: me.clone(), key: post.key.clone(), text };
    Some((Arc::new(message), Some(post.state.clone())))
}

#[cfg(test)]
mod tests {
    use shared::features::chat::room_topic;
    use shared::{ErrorCode, Payload, Problem};

    use super::*;
    use crate::features::chat::timeline::Timeline;
    use crate::features::chat::timeline::tests::{event_of, identity, timeline};
    use crate::realtime::Projection;

    const MINUTE: Millis = 60_000;
    const DAY: Millis = 24 * 60 * MINUTE;

    fn post(key: &str, at: Millis, state: SendState) -> PendingPost {
        let topic = room_topic("general").unwrap();
        let key = Key::try_from(key).unwrap();
        let body = Payload::of(&NewMessage { text: key.as_str().into() }).unwrap();
        PendingPost { author: identity("ada").id, topic, key, url: String::new(), body, at, state }
    }

    fn day_of(at: Millis) -> i64 {
        at.div_euclid(DAY)
    }

    fn rows_of_all(timeline: &Timeline, new_from: Option<Seq>) -> Vec<Row> {
        let blocks = timeline.block_numbers().into_iter().filter_map(|number| timeline.block(number));
        let me = identity("ada").id;
        blocks.flat_map(|(above, block)| rows_of(above, &block, new_from, &me, day_of)).collect()
    }

    /// Draws a row as "D1" for a day, "N" for new, or the text of a message with "+" if it continues a group, "!" if it is
    /// own, and its state.
    fn drawn(rows: Vec<Row>) -> Vec<String> {
        let draw = |row: Row| match row {
            Row::Day { number, .. } => format!("D{number}"),
            Row::New => "N".into(),
            Row::Message(row) => {
                let continues = if row.continues { "+" } else { "" };
                let own = if row.is_own { "!" } else { "" };
                let state = row.state_class().map_or(String::new(), |class| format!(" {class}"));
                format!("{}{continues}{own}{state}", row.message.text)
            }
        };
        rows.into_iter().map(draw).collect()
    }

    #[test]
    fn messages_of_one_author_are_grouped_until_five_minutes_pass() {
        let messages = [(1, "ada", 0), (2, "ada", MINUTE), (3, "ada", 7 * MINUTE), (4, "bob", 8 * MINUTE)];
        let rows = rows_of_all(&timeline(messages), None);
        assert_eq!(drawn(rows), ["D0", "message 1!", "message 2+!", "message 3!", "message 4"]);
    }

    #[test]
    fn a_day_separator_is_above_its_first_message_and_ends_a_group() {
        let rows = rows_of_all(&timeline([(1, "bob", DAY - 1), (2, "bob", DAY + 1)]), None);
        assert_eq!(drawn(rows), ["D0", "message 1", "D1", "message 2"]);
    }

    #[test]
    fn the_boundary_of_a_block_is_invisible() {
        let rows =
            rows_of_all(&timeline([(49, "bob", 0), (50, "bob", MINUTE), (51, "bob", 2 * MINUTE)]), None);
        assert_eq!(drawn(rows), ["D0", "message 49", "message 50+", "message 51+"]);
    }

    #[test]
    fn the_new_separator_is_above_the_first_unread_message_and_ends_a_group() {
        let rows = rows_of_all(&timeline([(1, "bob", 0), (2, "bob", 1), (3, "bob", 2)]), Some(Seq(2)));
        assert_eq!(drawn(rows), ["D0", "message 1", "N", "message 2", "message 3+"]);
    }

    #[test]
    fn pending_posts_are_below_all_messages() {
        let failed = SendState::Failed(Problem::new(ErrorCode::Invalid, "no"));
        let posts = [post("one", MINUTE, SendState::Queued), post("two", MINUTE, failed)];
        let above = timeline([(1, "ada", 0)]).last().cloned();
        let rows = rows_of_pending(above, &posts, &identity("ada"), day_of);
        assert_eq!(drawn(rows), ["one+! pending", "two+! failed"]);
        let rows = rows_of_pending(None, &posts, &identity("ada"), day_of);
        assert_eq!(drawn(rows), ["D0", "one! pending", "two+! failed"]);
    }

    #[test]
    fn a_row_that_looks_different_has_another_id() {
        let mut messages = timeline([(2, "bob", 0)]);
        let before = rows_of_all(&messages, None);
        let (event, payload) = event_of(1, "bob", 0);
        messages.apply_older(&event, payload);
        let after = rows_of_all(&messages, None);
        assert_eq!(before[0].id(), after[0].id());
        assert_ne!(before[1].id(), after[2].id());
    }
}
