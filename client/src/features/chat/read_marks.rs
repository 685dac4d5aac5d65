//! `ReadMarks`: the seq up to which each room was read. All that is kept of a reader's state.
//!
//! Every tab has a copy and the browser keeps one; two copies become one by taking the higher seq of each room.

use shared::Seq;

/// More rooms than this are not remembered; those that were read longest ago are forgotten first.
const ROOMS_MAX: usize = 500;

/// The newest seq that one person has read in each room.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadMarks {
    /// The room that was read last comes first.
    rooms: Vec<(String, Seq)>,
    /// LiveRooms whose mark was lowered here: a higher one in another copy is older.
    lowered: Vec<String>,
    /// True if the browser's copy is another one.
    is_changed: bool,
}

impl ReadMarks {
    /// Reads what [`ReadMarks::to_json`] wrote; none where that cannot be read.
    pub(super) fn from_json(text: &str) -> ReadMarks {
        let rooms = serde_json::from_str(text).unwrap_or_default();
        ReadMarks { rooms, ..ReadMarks::default() }
    }

    /// As the browser keeps it.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(&self.rooms).unwrap_or_default()
    }

    /// The newest seq that was read in the room; nothing for a room that was never seen.
    pub(super) fn get(&self, room: &str) -> Option<Seq> {
        self.rooms.iter().find(|(name, _)| name == room).map(|(_, seq)| *seq)
    }

    /// Notes that the room was read up to `seq`. Returns false if it was read further before.
    pub(super) fn raise(&mut self, room: &str, seq: Seq) -> bool {
        let is_news = self.get(room).is_none_or(|mark| mark < seq);
        if is_news {
            self.set(room, seq);
        }
        is_news
    }

    /// Goes back to `seq`: the log of the room was restored and ends there.
    pub(super) fn lower(&mut self, room: &str, seq: Seq) {
        self.set(room, seq);
        self.lowered.push(room.to_owned());
    }

    /// Takes in another copy. Returns whether that changes anything here.
    pub(super) fn merge(&mut self, other: ReadMarks) -> bool {
        let mut is_changed = false;
        // The room that was read last comes last, and so to the front.
        for (room, seq) in other.rooms.iter().rev() {
            if !self.lowered.contains(room) {
                is_changed |= self.raise(room, *seq);
            }
        }
        is_changed
    }

    /// True if this copy has to be kept anew.
    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// The browser keeps this copy now: a higher mark that is found there from now on is a newer one.
    pub(super) fn kept(&mut self) {
        self.lowered.clear();
        self.is_changed = false;
    }

    fn set(&mut self, room: &str, seq: Seq) {
        self.rooms.retain(|(name, _)| name != room);
        self.rooms.insert(0, (room.to_owned(), seq));
        self.rooms.truncate(ROOMS_MAX);
        self.is_changed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(rooms: &[(&str, u64)]) -> ReadMarks {
        let mut marks = ReadMarks::default();
        for (room, seq) in rooms {
            marks.raise(room, Seq(*seq));
        }
        marks
    }

    #[test]
    fn a_mark_only_rises() {
        let mut marks = marks(&[("general", 5)]);
        assert!(!marks.raise("general", Seq(4)));
        assert!(!marks.raise("general", Seq(5)));
        assert!(marks.raise("general", Seq(6)));
        assert_eq!((marks.get("general"), marks.get("tea")), (Some(Seq(6)), None));
    }

    #[test]
    fn of_two_copies_the_higher_mark_counts() {
        let mut here = marks(&[("general", 5), ("tea", 9)]);
        assert!(here.merge(marks(&[("general", 7), ("tea", 3), ("news", 1)])));
        assert_eq!(["general", "tea", "news"].map(|room| here.get(room).unwrap().0), [7, 9, 1]);
        assert!(!here.merge(marks(&[("general", 7)])));
    }

    #[test]
    fn a_log_that_was_restored_lowers_the_mark_in_spite_of_an_older_copy() {
        let (mut here, kept) = (marks(&[("general", 500)]), marks(&[("general", 500)]));
        here.lower("general", Seq(3));
        here.merge(kept);
        assert_eq!(here.get("general"), Some(Seq(3)));
        here.kept();
        here.merge(marks(&[("general", 4)]));
        assert_eq!(here.get("general"), Some(Seq(4)));
    }

    #[test]
    fn what_is_kept_comes_back_and_garbage_is_nothing() {
        let marks = marks(&[("general", 5), ("tea", 9)]);
        assert_eq!(marks.to_json(), r#"[["tea",9],["general",5]]"#);
        assert_eq!(ReadMarks::from_json(&marks.to_json()).rooms, marks.rooms);
        for text in ["", "null", "{}", "[[1,2]]", "[[\"general\",-1]]"] {
            assert_eq!(ReadMarks::from_json(text).rooms, []);
        }
    }

    #[test]
    fn only_the_rooms_that_were_read_last_are_remembered() {
        let mut marks = ReadMarks::default();
        for number in 0..=ROOMS_MAX {
            marks.raise(&format!("room-{number}"), Seq(1));
        }
        assert_eq!((marks.rooms.len(), marks.get("room-0")), (ROOMS_MAX, None));
        assert!(marks.get("room-1").is_some());
    }
}
