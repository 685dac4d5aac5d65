//! `ReadMarks`: the seq up to which the user has read each room. Nothing else of the reading state is stored.
//!
//! Every tab has a copy and the browser stores one. Copies are merged by taking the higher seq of each room.

use shared::Seq;

/// The most rooms with a mark; those that were read longest ago are forgotten first.
const ROOMS_MAX: usize = 500;

/// The newest seq that one user has read in each room.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadMarks {
    /// The room that was read last is first.
    rooms: Vec<(String, Seq)>,
    /// Rooms whose mark was lowered after a restore: a higher mark in another copy is from before the restore.
    ///
    /// Example: the mark was 500 and the restored log ends at 3. The mark is 3 now, and a stored 500 is ignored.
    lowered: Vec<String>,
    /// True if this copy differs from the stored one.
    pub(super) is_changed: bool,
}

impl ReadMarks {
    /// Decodes what [`ReadMarks::to_json`] wrote. A text that cannot be decoded gives no marks.
    pub(super) fn from_json(text: &str) -> ReadMarks {
        let rooms = serde_json::from_str(text).unwrap_or_default();
        ReadMarks { rooms, ..ReadMarks::default() }
    }

    /// Encodes the marks for the browser's storage.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(&self.rooms).unwrap_or_default()
    }

    /// The newest seq that was read in the room; `None` for a room that the user has never seen.
    pub(super) fn of(&self, room: &str) -> Option<Seq> {
        self.rooms.iter().find(|(name, _)| name == room).map(|(_, seq)| *seq)
    }

    /// Raises the mark of the room to `seq`. Returns false if it was that high before.
    pub(super) fn raise(&mut self, room: &str, seq: Seq) -> bool {
        let is_higher = self.of(room).is_none_or(|mark| mark < seq);
        if is_higher {
            self.set(room, seq);
        }
        is_higher
    }

    /// Lowers the mark to `seq`, because the log of the room was restored and ends there.
    pub(super) fn lower(&mut self, room: &str, seq: Seq) {
        self.set(room, seq);
        self.lowered.push(room.to_owned());
    }

    /// Merges another copy. Returns true if that changed this one.
    pub(super) fn merge(&mut self, other: ReadMarks) -> bool {
        let mut is_changed = false;
        // From the room read longest ago to the one read last, which ends up at the front.
        for (room, seq) in other.rooms.iter().rev() {
            if !self.lowered.contains(room) {
                is_changed |= self.raise(room, *seq);
            }
        }
        is_changed
    }

    /// Notes that this copy is stored. A higher mark that is found in storage later is newer than this copy.
    pub(super) fn set_stored(&mut self) {
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
    fn a_mark_is_only_raised() {
        let mut marks = marks(&[("general", 5)]);
        assert!(!marks.raise("general", Seq(4)));
        assert!(!marks.raise("general", Seq(5)));
        assert!(marks.raise("general", Seq(6)));
        assert_eq!((marks.of("general"), marks.of("tea")), (Some(Seq(6)), None));
    }

    #[test]
    fn merging_two_copies_takes_the_higher_mark() {
        let mut here = marks(&[("general", 5), ("tea", 9)]);
        assert!(here.merge(marks(&[("general", 7), ("tea", 3), ("news", 1)])));
        assert_eq!(["general", "tea", "news"].map(|room| here.of(room).unwrap().0), [7, 9, 1]);
        assert!(!here.merge(marks(&[("general", 7)])));
    }

    #[test]
    fn a_restored_log_lowers_the_mark_in_spite_of_an_older_copy() {
        let mut here = marks(&[("general", 500)]);
        let stored = marks(&[("general", 500)]);
        here.lower("general", Seq(3));
        here.merge(stored);
        assert_eq!(here.of("general"), Some(Seq(3)));
        here.set_stored();
        here.merge(marks(&[("general", 4)]));
        assert_eq!(here.of("general"), Some(Seq(4)));
    }

    #[test]
    fn stored_marks_are_read_back_and_garbage_gives_none() {
        let marks = marks(&[("general", 5), ("tea", 9)]);
        assert_eq!(marks.to_json(), r#"[["tea",9],["general",5]]"#);
        assert_eq!(ReadMarks::from_json(&marks.to_json()).rooms, marks.rooms);
        for text in ["", "null", "{}", "[[1,2]]", "[[\"general\",-1]]"] {
            assert_eq!(ReadMarks::from_json(text).rooms, []);
        }
    }

    #[test]
    fn only_the_rooms_that_were_read_last_have_marks() {
        let mut marks = ReadMarks::default();
        for number in 0..=ROOMS_MAX {
            marks.raise(&format!("room-{number}"), Seq(1));
        }
        assert_eq!((marks.rooms.len(), marks.of("room-0")), (ROOMS_MAX, None));
        assert!(marks.of("room-1").is_some());
    }
}
