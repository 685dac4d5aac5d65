//! The rows of a room as they are shown: days, lines that belong together, lines that are on their way.
//!
//! Plain data without a browser: which day a time belongs to is given from outside.

use std::sync::Arc;

use shared::features::chat::NewMessage;
use shared::{Identity, Key, Millis, Problem, Seq};

use super::timeline::{Line, Timeline};
use crate::realtime::{Post, PostState};

/// Lines of one author that are further apart than this do not belong together.
const GROUP_MS_MAX: Millis = 5 * 60_000;

/// One row of what is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row {
    /// A new day begins.
    Day { number: i64, at: Millis },
    /// Somebody said this.
    Message(Message),
}

/// A line as it is shown. It is never changed: another look at it is another row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) line: Arc<Line>,
    /// Goes on where the row above, of the same author, stopped.
    pub(super) continues: bool,
    /// Written by whoever looks at it.
    pub(super) is_own: bool,
    pub(super) stage: Stage,
}

/// How durable a line is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stage {
    /// In the log.
    Settled,
    /// On its way.
    Pending,
    /// Not sent.
    Failed(Problem),
}

/// What tells two rows apart; rows with the same id look the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum RowId {
    Day(i64),
    Settled(Seq, bool),
    Unsettled(Key, bool, bool),
}

impl Row {
    /// See [`RowId`].
    pub(super) fn id(&self) -> RowId {
        match self {
            Row::Day { number, .. } => RowId::Day(*number),
            Row::Message(Message { line, continues, stage: Stage::Settled, .. }) => {
                RowId::Settled(line.seq, *continues)
            }
            Row::Message(Message { line, continues, stage, .. }) => {
                RowId::Unsettled(line.key.clone(), *continues, *stage == Stage::Pending)
            }
        }
    }
}

/// The rows of a room for `me`: what was said, then what is on its way.
pub(super) fn rows(
    timeline: &Timeline,
    posts: &[Post],
    me: &Identity,
    day_of: impl Fn(Millis) -> i64,
) -> Vec<Row> {
    let settled = timeline.lines().map(|line| (line.clone(), Stage::Settled));
    let unsettled = posts.iter().filter_map(|post| written(post, me));
    let mut rows = Vec::new();
    let mut above: Option<(Arc<Line>, i64)> = None;
    for (line, stage) in settled.chain(unsettled) {
        let day = day_of(line.at);
        let is_new_day = above.as_ref().is_none_or(|(_, of)| *of != day);
        if is_new_day {
            rows.push(Row::Day { number: day, at: line.at });
        }
        let continues = !is_new_day && above.is_some_and(|(above, _)| belongs_to(&above, &line));
        let is_own = line.author.id == me.id;
        above = Some((line.clone(), day));
        rows.push(Row::Message(Message { line, continues, is_own, stage }));
    }
    rows
}

fn belongs_to(above: &Line, line: &Line) -> bool {
    above.author == line.author && line.at - above.at < GROUP_MS_MAX
}

/// A post as a line that nobody else sees yet.
fn written(post: &Post, me: &Identity) -> Option<(Arc<Line>, Stage)> {
    let NewMessage { text } = post.body.read().ok()?;
    let stage = match &post.state {
        PostState::Pending | PostState::Acked(_) | PostState::Held => Stage::Pending,
        PostState::Failed(problem) => Stage::Failed(problem.clone()),
    };
    let (author, key) = (me.clone(), post.key.clone());
    Some((Arc::new(Line { seq: Seq::ZERO, at: post.at, author, key, text }), stage))
}

#[cfg(test)]
mod tests {
    use shared::features::chat::{ChatEvent, MessageText, room_topic};
    use shared::{DisplayName, ErrorCode, Event, Payload, UserId};

    use super::*;
    use crate::realtime::Projection;

    const MINUTE: Millis = 60_000;
    const DAY: Millis = 24 * 60 * MINUTE;

    fn person(name: &str) -> Identity {
        Identity { id: UserId(format!("u_{name}").into()), name: DisplayName::parse(name).unwrap() }
    }

    fn said(seq: u64, author: &str, at: Millis) -> (Event, ChatEvent) {
        let payload = ChatEvent::Posted { text: MessageText::parse(&format!("line {seq}")).unwrap() };
        let event = Event {
            topic: room_topic("general").unwrap(),
            seq: Seq(seq),
            at,
            author: person(author),
            key: Key::try_from(format!("k{seq}")).unwrap(),
            payload: Payload::of(&payload).unwrap(),
        };
        (event, payload)
    }

    fn timeline(lines: &[(u64, &str, Millis)]) -> Timeline {
        let mut timeline = Timeline::default();
        for (seq, author, at) in lines {
            let (event, payload) = said(*seq, author, *at);
            timeline.apply(&event, payload);
        }
        timeline
    }

    fn post(key: &str, at: Millis, state: PostState) -> Post {
        let (topic, key) = (room_topic("general").unwrap(), Key::try_from(key).unwrap());
        let body = Payload::of(&NewMessage { text: key.as_str().into() }).unwrap();
        Post { author: person("ada").id, topic, key, url: String::new(), body, at, state }
    }

    /// "D" for a day, then for each line its text, "+" where it continues, "!" where it is own.
    fn drawn(timeline: &Timeline, posts: &[Post]) -> Vec<String> {
        let draw = |row: Row| match row {
            Row::Day { number, .. } => format!("D{number}"),
            Row::Message(Message { line, continues, is_own, stage }) => {
                let stage = match stage {
                    Stage::Settled => "",
                    Stage::Pending => "?",
                    Stage::Failed(_) => "x",
                };
                format!(
                    "{}{}{}{stage}",
                    line.text,
                    if continues { "+" } else { "" },
                    if is_own { "!" } else { "" }
                )
            }
        };
        rows(timeline, posts, &person("ada"), |at| at.div_euclid(DAY)).into_iter().map(draw).collect()
    }

    #[test]
    fn lines_of_one_author_belong_together_until_five_minutes_pass() {
        let lines = [(1, "ada", 0), (2, "ada", MINUTE), (3, "ada", 7 * MINUTE), (4, "bob", 8 * MINUTE)];
        assert_eq!(drawn(&timeline(&lines), &[]), ["D0", "line 1!", "line 2+!", "line 3!", "line 4"]);
    }

    #[test]
    fn a_new_day_stands_above_its_first_line_and_parts_a_group() {
        let lines = [(1, "bob", DAY - 1), (2, "bob", DAY + 1)];
        assert_eq!(drawn(&timeline(&lines), &[]), ["D0", "line 1", "D1", "line 2"]);
    }

    #[test]
    fn posts_stand_below_everything_that_was_said() {
        let failed = PostState::Failed(Problem::new(ErrorCode::Invalid, "no"));
        let posts = [post("one", MINUTE, PostState::Pending), post("two", MINUTE, failed)];
        assert_eq!(drawn(&timeline(&[(1, "ada", 0)]), &posts), ["D0", "line 1!", "one+!?", "two+!x"]);
    }

    #[test]
    fn older_lines_come_in_front() {
        let mut timeline = timeline(&[(3, "bob", 0)]);
        for seq in [2, 1] {
            let (event, payload) = said(seq, "bob", 0);
            timeline.apply_older(&event, payload);
        }
        assert_eq!(drawn(&timeline, &[]), ["D0", "line 1", "line 2+", "line 3+"]);
        assert_eq!(timeline.newest(), Seq(3));
        assert_eq!(timeline.after(Seq(1)).count(), 2);
    }

    #[test]
    fn a_row_is_another_one_once_it_looks_different() {
        let lines = timeline(&[(2, "bob", 0)]);
        let before = rows(&lines, &[], &person("ada"), |_| 0);
        let mut lines = lines;
        let (event, payload) = said(1, "bob", 0);
        lines.apply_older(&event, payload);
        let after = rows(&lines, &[], &person("ada"), |_| 0);
        assert_eq!(before[0].id(), after[0].id());
        assert_ne!(before[1].id(), after[2].id());
    }
}
