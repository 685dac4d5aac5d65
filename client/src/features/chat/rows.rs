//! The rows of a room as they are shown: days, messages that belong together, messages that are on their way.
//!
//! Plain data without a browser: which day a time belongs to is given from outside.

use std::sync::Arc;

use shared::features::chat::NewMessage;
use shared::{Identity, Key, Millis, Problem, Seq, UserId};

use super::timeline::{Block, Message};
use crate::realtime::{PendingPost, SendState};

/// Lines of one author that are further apart than this do not belong together.
const GROUP_MS_MAX: Millis = 5 * 60_000;

/// One row of what is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row {
    /// A new day begins.
    Day { number: i64, at: Millis },
    /// From here on it was unread when the room came into sight.
    New,
    /// Somebody said this.
    Message(MessageRow),
}

/// A message as it is shown. It is never changed: another look at it is another row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MessageRow {
    pub(super) message: Arc<Message>,
    /// Goes on where the row above, of the same author, stopped.
    pub(super) continues: bool,
    /// Written by whoever looks at it.
    pub(super) is_own: bool,
    pub(super) state: MessageState,
}

/// How durable a message is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum MessageState {
    /// In the log.
    Settled,
    /// On its way.
    Pending,
    /// Not sent, since this went wrong.
    Failed(Problem),
    /// Not sent for so long that its author decides whether it still goes out.
    Held,
}

/// What tells two rows apart; rows with the same id look the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum RowId {
    Day(i64),
    New,
    /// The key as well: a log that was restored gives the seq to another message.
    Settled(Seq, Key, bool),
    Unsettled(Key, bool, &'static str),
}

impl MessageState {
    /// The class of its row.
    pub(super) fn class(&self) -> Option<&'static str> {
        match self {
            MessageState::Settled => None,
            MessageState::Pending => Some("pending"),
            MessageState::Failed(_) => Some("failed"),
            MessageState::Held => Some("held"),
        }
    }
}

impl Row {
    /// See [`RowId`].
    pub(super) fn id(&self) -> RowId {
        match self {
            Row::Day { number, .. } => RowId::Day(*number),
            Row::New => RowId::New,
            Row::Message(MessageRow { message, continues, state, .. }) => match state.class() {
                None => RowId::Settled(message.seq, message.key.clone(), *continues),
                Some(class) => RowId::Unsettled(message.key.clone(), *continues, class),
            },
        }
    }
}

/// One block of messages with all that its look depends on. Cheap to compare while nothing of it changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShownBlock {
    /// The message above the block.
    pub(super) above: Option<Arc<Message>>,
    pub(super) block: Block,
    /// The message of this block above which [`Row::New`] stands.
    pub(super) new_from: Option<Seq>,
}

/// The rows of a block for `me`.
pub(super) fn rows_of(shown: ShownBlock, me: &UserId, day_of: impl Fn(Millis) -> i64) -> Vec<Row> {
    let messages = shown.block.messages.iter().map(|message| (message.clone(), MessageState::Settled));
    rows(shown.above, messages, shown.new_from, me, day_of)
}

/// The rows of what `me` has written and nobody else sees yet, below the message `above`.
pub(super) fn rows_of_pending(
    above: Option<Arc<Message>>,
    posts: &[PendingPost],
    me: &Identity,
    day_of: impl Fn(Millis) -> i64,
) -> Vec<Row> {
    rows(above, posts.iter().filter_map(|post| written(post, me)), None, &me.id, day_of)
}

fn rows(
    mut above: Option<Arc<Message>>,
    messages: impl Iterator<Item = (Arc<Message>, MessageState)>,
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
        let is_first_new = state == MessageState::Settled && new_from == Some(message.seq);
        if is_first_new {
            rows.push(Row::New);
        }
        let is_parted = is_new_day || is_first_new;
        let continues = !is_parted && above.is_some_and(|above| belongs_to(&above, &message));
        let is_own = message.author.id == *me;
        (above, day_above) = (Some(message.clone()), Some(day));
        rows.push(Row::Message(MessageRow { message, continues, is_own, state }));
    }
    rows
}

fn belongs_to(above: &Message, message: &Message) -> bool {
    above.author == message.author && message.at - above.at < GROUP_MS_MAX
}

/// A post as a message that nobody else sees yet.
fn written(post: &PendingPost, me: &Identity) -> Option<(Arc<Message>, MessageState)> {
    let NewMessage { text } = post.body.read().ok()?;
    let state = match &post.state {
        SendState::Queued | SendState::Acked(_) => MessageState::Pending,
        SendState::Held => MessageState::Held,
        SendState::Failed(problem) => MessageState::Failed(problem.clone()),
    };
    let (author, key) = (me.clone(), post.key.clone());
    Some((Arc::new(Message { seq: Seq::ZERO, at: post.at, author, key, text }), state))
}

#[cfg(test)]
mod tests {
    use shared::features::chat::room_topic;
    use shared::{ErrorCode, Payload};

    use super::*;
    use crate::features::chat::timeline::Timeline;
    use crate::features::chat::timeline::tests::{person, said, timeline};
    use crate::realtime::Projection;

    const MINUTE: Millis = 60_000;
    const DAY: Millis = 24 * 60 * MINUTE;

    fn post(key: &str, at: Millis, state: SendState) -> PendingPost {
        let (topic, key) = (room_topic("general").unwrap(), Key::try_from(key).unwrap());
        let body = Payload::of(&NewMessage { text: key.as_str().into() }).unwrap();
        PendingPost { author: person("ada").id, topic, key, url: String::new(), body, at, state }
    }

    fn day_of(at: Millis) -> i64 {
        at.div_euclid(DAY)
    }

    fn rows_of_all(timeline: &Timeline, new_from: Option<Seq>) -> Vec<Row> {
        let blocks = timeline.blocks().into_iter().filter_map(|number| timeline.block(number));
        let shown = blocks.map(|(above, block)| ShownBlock { above, block, new_from });
        shown.flat_map(|shown| rows_of(shown, &person("ada").id, day_of)).collect()
    }

    /// "D" for a day, "N" for new; for each message its text, "+" where it continues, "!" where it is own.
    fn drawn(rows: Vec<Row>) -> Vec<String> {
        let draw = |row: Row| match row {
            Row::Day { number, .. } => format!("D{number}"),
            Row::New => "N".into(),
            Row::Message(MessageRow { message, continues, is_own, state }) => {
                let (continues, own) = (if continues { "+" } else { "" }, if is_own { "!" } else { "" });
                let state = state.class().map_or(String::new(), |class| format!(" {class}"));
                format!("{}{continues}{own}{state}", message.text)
            }
        };
        rows.into_iter().map(draw).collect()
    }

    #[test]
    fn lines_of_one_author_belong_together_until_five_minutes_pass() {
        let messages = [(1, "ada", 0), (2, "ada", MINUTE), (3, "ada", 7 * MINUTE), (4, "bob", 8 * MINUTE)];
        let rows = rows_of_all(&timeline(messages), None);
        assert_eq!(drawn(rows), ["D0", "message 1!", "message 2+!", "message 3!", "message 4"]);
    }

    #[test]
    fn a_new_day_stands_above_its_first_line_and_parts_a_group() {
        let rows = rows_of_all(&timeline([(1, "bob", DAY - 1), (2, "bob", DAY + 1)]), None);
        assert_eq!(drawn(rows), ["D0", "message 1", "D1", "message 2"]);
    }

    #[test]
    fn where_a_block_begins_cannot_be_seen() {
        let rows =
            rows_of_all(&timeline([(49, "bob", 0), (50, "bob", MINUTE), (51, "bob", 2 * MINUTE)]), None);
        assert_eq!(drawn(rows), ["D0", "message 49", "message 50+", "message 51+"]);
    }

    #[test]
    fn new_stands_above_the_first_unread_line_and_parts_a_group() {
        let rows = rows_of_all(&timeline([(1, "bob", 0), (2, "bob", 1), (3, "bob", 2)]), Some(Seq(2)));
        assert_eq!(drawn(rows), ["D0", "message 1", "N", "message 2", "message 3+"]);
    }

    #[test]
    fn posts_stand_below_everything_that_was_said() {
        let failed = SendState::Failed(Problem::new(ErrorCode::Invalid, "no"));
        let posts = [post("one", MINUTE, SendState::Queued), post("two", MINUTE, failed)];
        let above = timeline([(1, "ada", 0)]).last().cloned();
        let rows = rows_of_pending(above, &posts, &person("ada"), day_of);
        assert_eq!(drawn(rows), ["one+! pending", "two+! failed"]);
        let rows = rows_of_pending(None, &posts, &person("ada"), day_of);
        assert_eq!(drawn(rows), ["D0", "one! pending", "two+! failed"]);
    }

    #[test]
    fn a_row_is_another_one_once_it_looks_different() {
        let mut messages = timeline([(2, "bob", 0)]);
        let before = rows_of_all(&messages, None);
        let (event, payload) = said(1, "bob", 0);
        messages.apply_older(&event, payload);
        let after = rows_of_all(&messages, None);
        assert_eq!(before[0].id(), after[0].id());
        assert_ne!(before[1].id(), after[2].id());
    }
}
