//! The rows of a room as they are shown: days, lines that belong together, lines that are on their way.
//!
//! Plain data without a browser: which day a time belongs to is given from outside.

use std::sync::Arc;

use shared::features::chat::NewMessage;
use shared::{Identity, Key, Millis, Problem, Seq, UserId};

use super::timeline::{Block, Line};
use crate::realtime::{Post, PostState};

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
    /// The key as well: a log that was restored gives the seq to another line.
    Settled(Seq, Key, bool),
    Unsettled(Key, bool, &'static str),
}

impl Stage {
    /// The class of its row.
    pub(super) fn class(&self) -> Option<&'static str> {
        match self {
            Stage::Settled => None,
            Stage::Pending => Some("pending"),
            Stage::Failed(_) => Some("failed"),
            Stage::Held => Some("held"),
        }
    }
}

impl Row {
    /// See [`RowId`].
    pub(super) fn id(&self) -> RowId {
        match self {
            Row::Day { number, .. } => RowId::Day(*number),
            Row::New => RowId::New,
            Row::Message(Message { line, continues, stage, .. }) => match stage.class() {
                None => RowId::Settled(line.seq, line.key.clone(), *continues),
                Some(class) => RowId::Unsettled(line.key.clone(), *continues, class),
            },
        }
    }
}

/// One block of lines with all that its look depends on. Cheap to compare while nothing of it changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShownBlock {
    /// The line above the block.
    pub(super) above: Option<Arc<Line>>,
    pub(super) block: Block,
    /// The line of this block above which [`Row::New`] stands.
    pub(super) new_from: Option<Seq>,
}

/// The rows of a block for `me`.
pub(super) fn rows_of(shown: ShownBlock, me: &UserId, day_of: impl Fn(Millis) -> i64) -> Vec<Row> {
    let lines = shown.block.lines.iter().map(|line| (line.clone(), Stage::Settled));
    rows(shown.above, lines, shown.new_from, me, day_of)
}

/// The rows of what `me` has written and nobody else sees yet, below the line `above`.
pub(super) fn rows_of_posts(
    above: Option<Arc<Line>>,
    posts: &[Post],
    me: &Identity,
    day_of: impl Fn(Millis) -> i64,
) -> Vec<Row> {
    rows(above, posts.iter().filter_map(|post| written(post, me)), None, &me.id, day_of)
}

fn rows(
    mut above: Option<Arc<Line>>,
    lines: impl Iterator<Item = (Arc<Line>, Stage)>,
    new_from: Option<Seq>,
    me: &UserId,
    day_of: impl Fn(Millis) -> i64,
) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut day_above = above.as_ref().map(|above| day_of(above.at));
    for (line, stage) in lines {
        let day = day_of(line.at);
        let is_new_day = day_above != Some(day);
        if is_new_day {
            rows.push(Row::Day { number: day, at: line.at });
        }
        let is_first_new = stage == Stage::Settled && new_from == Some(line.seq);
        if is_first_new {
            rows.push(Row::New);
        }
        let is_parted = is_new_day || is_first_new;
        let continues = !is_parted && above.is_some_and(|above| belongs_to(&above, &line));
        let is_own = line.author.id == *me;
        (above, day_above) = (Some(line.clone()), Some(day));
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
        PostState::Pending | PostState::Acked(_) => Stage::Pending,
        PostState::Held => Stage::Held,
        PostState::Failed(problem) => Stage::Failed(problem.clone()),
    };
    let (author, key) = (me.clone(), post.key.clone());
    Some((Arc::new(Line { seq: Seq::ZERO, at: post.at, author, key, text }), stage))
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

    fn post(key: &str, at: Millis, state: PostState) -> Post {
        let (topic, key) = (room_topic("general").unwrap(), Key::try_from(key).unwrap());
        let body = Payload::of(&NewMessage { text: key.as_str().into() }).unwrap();
        Post { author: person("ada").id, topic, key, url: String::new(), body, at, state }
    }

    fn day_of(at: Millis) -> i64 {
        at.div_euclid(DAY)
    }

    fn rows_of_all(timeline: &Timeline, new_from: Option<Seq>) -> Vec<Row> {
        let blocks = timeline.blocks().into_iter().filter_map(|number| timeline.block(number));
        let shown = blocks.map(|(above, block)| ShownBlock { above, block, new_from });
        shown.flat_map(|shown| rows_of(shown, &person("ada").id, day_of)).collect()
    }

    /// "D" for a day, "N" for new; for each line its text, "+" where it continues, "!" where it is own.
    fn drawn(rows: Vec<Row>) -> Vec<String> {
        let draw = |row: Row| match row {
            Row::Day { number, .. } => format!("D{number}"),
            Row::New => "N".into(),
            Row::Message(Message { line, continues, is_own, stage }) => {
                let (continues, own) = (if continues { "+" } else { "" }, if is_own { "!" } else { "" });
                let stage = stage.class().map_or(String::new(), |class| format!(" {class}"));
                format!("{}{continues}{own}{stage}", line.text)
            }
        };
        rows.into_iter().map(draw).collect()
    }

    #[test]
    fn lines_of_one_author_belong_together_until_five_minutes_pass() {
        let lines = [(1, "ada", 0), (2, "ada", MINUTE), (3, "ada", 7 * MINUTE), (4, "bob", 8 * MINUTE)];
        let rows = rows_of_all(&timeline(lines), None);
        assert_eq!(drawn(rows), ["D0", "line 1!", "line 2+!", "line 3!", "line 4"]);
    }

    #[test]
    fn a_new_day_stands_above_its_first_line_and_parts_a_group() {
        let rows = rows_of_all(&timeline([(1, "bob", DAY - 1), (2, "bob", DAY + 1)]), None);
        assert_eq!(drawn(rows), ["D0", "line 1", "D1", "line 2"]);
    }

    #[test]
    fn where_a_block_begins_cannot_be_seen() {
        let rows =
            rows_of_all(&timeline([(49, "bob", 0), (50, "bob", MINUTE), (51, "bob", 2 * MINUTE)]), None);
        assert_eq!(drawn(rows), ["D0", "line 49", "line 50+", "line 51+"]);
    }

    #[test]
    fn new_stands_above_the_first_unread_line_and_parts_a_group() {
        let rows = rows_of_all(&timeline([(1, "bob", 0), (2, "bob", 1), (3, "bob", 2)]), Some(Seq(2)));
        assert_eq!(drawn(rows), ["D0", "line 1", "N", "line 2", "line 3+"]);
    }

    #[test]
    fn posts_stand_below_everything_that_was_said() {
        let failed = PostState::Failed(Problem::new(ErrorCode::Invalid, "no"));
        let posts = [post("one", MINUTE, PostState::Pending), post("two", MINUTE, failed)];
        let above = timeline([(1, "ada", 0)]).last().cloned();
        let rows = rows_of_posts(above, &posts, &person("ada"), day_of);
        assert_eq!(drawn(rows), ["one+! pending", "two+! failed"]);
        let rows = rows_of_posts(None, &posts, &person("ada"), day_of);
        assert_eq!(drawn(rows), ["D0", "one! pending", "two+! failed"]);
    }

    #[test]
    fn a_row_is_another_one_once_it_looks_different() {
        let mut lines = timeline([(2, "bob", 0)]);
        let before = rows_of_all(&lines, None);
        let (event, payload) = said(1, "bob", 0);
        lines.apply_older(&event, payload);
        let after = rows_of_all(&lines, None);
        assert_eq!(before[0].id(), after[0].id());
        assert_ne!(before[1].id(), after[2].id());
    }
}
