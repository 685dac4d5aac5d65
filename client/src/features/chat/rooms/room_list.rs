//! `RoomList`: the rooms, those with the latest messages first, with the number of unread messages in each.
//!
//! The server's list is the truth; pushed events are hints that keep it fresh in between. Both may be late, so the head
//! of a room is only raised, until two lists in a row have a lower one: then the log was restored.

use shared::features::chat::{ChatEvent, RoomSummary, Rooms};
use shared::{Event, Millis, Seq, UserId};

use super::read_marks::ReadMarks;

/// All known rooms, in the order in which they are shown.
#[derive(Debug)]
pub(super) struct RoomList {
    me: UserId,
    /// The rooms, in the order in which they are shown.
    pub(super) rooms: Vec<RoomEntry>,
    /// The newest seq that the user has read in each room.
    pub(super) marks: ReadMarks,
    /// True once the server's list has arrived; before that an empty list means nothing.
    pub(super) is_loaded: bool,
}

/// A room in the list.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct RoomEntry {
    pub(super) name: String,
    pub(super) head: Seq,
    pub(super) last: Option<Event>,
    /// The number of messages of others after the read mark.
    pub(super) unread: u64,
    /// The number of members, as far as it is known.
    pub(super) online: u64,
    /// True if `online` was pushed, and so is fresher than any list.
    is_online_pushed: bool,
    /// The user's own messages after the read mark.
    own: Vec<Seq>,
    /// The head that was known when a list had a lower one.
    ///
    /// Example: the head is 500 and a list says 3, which may be a late answer: 500 is kept here. The next list says 3
    /// too, so the log was restored, and the head becomes 3.
    doubted_head: Option<Seq>,
}

impl RoomEntry {
    /// The time of the last message.
    pub(super) fn at(&self) -> Option<Millis> {
        self.last.as_ref().map(|event| event.at)
    }

    /// The author and the text of the last message.
    pub(super) fn preview(&self) -> Option<(String, String)> {
        let event = self.last.as_ref()?;
        let ChatEvent::Posted { text } = event.payload.read().ok()?;
        Some((event.author.name.to_string(), text.into()))
    }

    fn count_unread(&mut self, mark: Seq) {
        self.own.retain(|seq| *seq > mark);
        self.unread = self.head.since(mark).saturating_sub(self.own.len() as u64);
    }
}

impl RoomList {
    /// Creates an empty list for the user `me`, who has read up to `marks`.
    pub(super) fn new(me: UserId, marks: ReadMarks) -> RoomList {
        RoomList { me, rooms: Vec::new(), marks, is_loaded: false }
    }

    /// The room of that name.
    pub(super) fn find(&self, name: &str) -> Option<&RoomEntry> {
        self.rooms.iter().find(|room| room.name == name)
    }

    /// True if the list has everything up to `seq`.
    pub(super) fn is_up_to_date(&self, name: &str, seq: Seq) -> bool {
        self.find(name).map_or(seq == Seq::ZERO, |room| room.head >= seq)
    }

    /// Applies the server's list. Returns the number of new messages of others; the first list has none.
    pub(super) fn apply_answer(&mut self, answer: Rooms) -> u64 {
        let is_first = !std::mem::replace(&mut self.is_loaded, true);
        let mut new_messages = 0;
        // In reverse, so that rooms of the same millisecond keep the server's order.
        for room in answer.rooms.into_iter().rev() {
            let name = room.name.clone();
            let online = room.online;
            self.detect_restore(&room);
            new_messages += self.apply(room);
            if let Some(room) = self.find_mut(&name).filter(|room| !room.is_online_pushed) {
                room.online = online;
            }
        }
        if is_first { 0 } else { new_messages }
    }

    /// Applies a pushed presence.
    pub(super) fn apply_presence(&mut self, name: &str, total: u64) {
        if let Some(room) = self.find_mut(name) {
            room.online = total;
            room.is_online_pushed = true;
        }
    }

    /// Forgets all presence, because none is pushed any more.
    pub(super) fn forget_presence(&mut self) {
        for room in &mut self.rooms {
            room.online = 0;
            room.is_online_pushed = false;
        }
    }

    /// Applies a pushed event. Returns the number of new messages of others.
    pub(super) fn apply_event(&mut self, event: Event) -> u64 {
        let name = event.topic.name().to_owned();
        let head = event.seq;
        self.apply(RoomSummary { name, head, online: 0, last: Some(event) })
    }

    /// Marks the room as read up to `seq`.
    pub(super) fn mark_read(&mut self, name: &str, seq: Seq) {
        let is_raised = self.marks.raise(name, seq);
        if let Some(room) = self.find_mut(name).filter(|_| is_raised) {
            room.count_unread(seq);
        }
    }

    /// Merges the marks of another tab. Returns true if that changed anything.
    pub(super) fn merge_marks(&mut self, other: ReadMarks) -> bool {
        let is_changed = self.marks.merge(other);
        if is_changed {
            for room in &mut self.rooms {
                room.count_unread(self.marks.of(&room.name).unwrap_or(room.head));
            }
        }
        is_changed
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut RoomEntry> {
        self.rooms.iter_mut().find(|room| room.name == name)
    }

    /// Lowers the head of a room once two lists in a row have a lower one: the first may be a late answer, the second
    /// was pulled after it.
    fn detect_restore(&mut self, fresh: &RoomSummary) {
        let Some(room) = self.rooms.iter_mut().find(|room| room.name == fresh.name) else { return };
        if fresh.head >= room.head {
            room.doubted_head = None;
            return;
        }
        if room.doubted_head.is_some_and(|doubted| fresh.head < doubted) {
            room.head = fresh.head;
            room.own.clear();
            room.doubted_head = None;
            if self.marks.of(&fresh.name).is_some_and(|mark| mark > fresh.head) {
                self.marks.lower(&fresh.name, fresh.head);
            }
        } else {
            room.doubted_head = Some(room.head);
        }
    }

    /// Applies a fresh state of a room, unless a newer one is known. Returns the number of new messages of others.
    fn apply(&mut self, fresh: RoomSummary) -> u64 {
        let mark = self.marks.of(&fresh.name);
        let mut room = match self.rooms.iter().position(|room| room.name == fresh.name) {
            Some(index) if self.rooms[index].head > fresh.head => return 0,
            Some(index) => self.rooms.remove(index),
            // The mark may be beyond the head of a late list: what was read exists.
            None => {
                let head = mark.map_or(fresh.head, |mark| mark.max(fresh.head));
                RoomEntry { name: fresh.name, head, ..RoomEntry::default() }
            }
        };
        if room.head > fresh.head {
            room.doubted_head = Some(room.head);
        }
        let unread_before = room.unread;
        let is_own = fresh.last.as_ref().is_some_and(|event| event.author.id == self.me);
        room.head = room.head.max(fresh.head);
        room.last = fresh.last.or(room.last);
        // In a room that the user has never seen, only later messages are unread.
        let mut mark = mark.unwrap_or(room.head);
        if is_own && fresh.head > mark && room.own.last() < Some(&fresh.head) {
            room.own.push(fresh.head);
        }
        if is_own && fresh.head == mark.next() {
            mark = fresh.head;
        }
        self.marks.raise(&room.name, mark);
        room.count_unread(mark);
        let new_messages = room.unread.saturating_sub(unread_before);
        let index = self.rooms.iter().position(|other| other.at() <= room.at());
        self.rooms.insert(index.unwrap_or(self.rooms.len()), room);
        new_messages
    }
}

#[cfg(test)]
mod tests {
    use shared::features::chat::room_topic;
    use shared::{DisplayName, Identity, Key, Payload};

    use super::*;

    fn event(room: &str, seq: u64, author: &str) -> Event {
        let author = Identity { id: UserId(author.into()), name: DisplayName::parse(author).unwrap() };
        let payload = Payload::from_json(format!(r#"{{"posted":{{"text":"message {seq}"}}}}"#)).unwrap();
        let topic = room_topic(room).unwrap();
        let key = Key::try_from(format!("k{seq}")).unwrap();
        Event { topic, seq: Seq(seq), at: seq as Millis * 1_000, author, key, payload }
    }

    fn answer(events: Vec<Event>) -> Rooms {
        let summary = |event: Event| {
            let name = event.topic.name().to_owned();
            let head = event.seq;
            RoomSummary { name, head, online: 0, last: Some(event) }
        };
        Rooms { rooms: events.into_iter().map(summary).collect() }
    }

    fn list_of_ada() -> RoomList {
        RoomList::new(UserId("ada".into()), ReadMarks::default())
    }

    fn unread(list: &RoomList) -> Option<u64> {
        list.find("general").map(|room| room.unread)
    }

    fn names(list: &RoomList) -> Vec<&str> {
        list.rooms.iter().map(|room| room.name.as_str()).collect()
    }

    #[test]
    fn the_room_with_the_latest_message_is_first() {
        let mut list = list_of_ada();
        list.apply_answer(answer(vec![event("tea", 2, "bob"), event("general", 1, "bob")]));
        assert_eq!(names(&list), ["tea", "general"]);
        list.apply_event(event("general", 3, "bob"));
        assert_eq!(names(&list), ["general", "tea"]);
        assert_eq!(list.rooms[0].preview(), Some(("bob".into(), "message 3".into())));
    }

    #[test]
    fn only_messages_of_others_after_the_first_list_are_new() {
        let mut list = list_of_ada();
        assert_eq!(list.apply_answer(answer(vec![event("general", 5, "bob")])), 0);
        assert_eq!(list.apply_event(event("general", 6, "ada")), 0);
        assert_eq!(list.apply_event(event("general", 7, "bob")), 1);
        assert_eq!(list.apply_answer(answer(vec![event("general", 9, "bob")])), 2);
        assert_eq!(unread(&list), Some(3));
        list.mark_read("general", Seq(8));
        assert_eq!(unread(&list), Some(1));
        list.mark_read("general", Seq(9));
        assert_eq!(unread(&list), Some(0));
    }

    #[test]
    fn a_room_that_is_seen_for_the_first_time_has_nothing_unread() {
        let mut list = list_of_ada();
        list.apply_answer(answer(vec![event("tea", 900, "bob")]));
        assert_eq!(list.apply_answer(answer(vec![event("general", 700, "bob")])), 0);
        assert_eq!(unread(&list), Some(0));
        assert_eq!(list.apply_event(event("general", 701, "bob")), 1);
    }

    #[test]
    fn unread_messages_stay_unread_while_the_browser_is_closed() {
        let mut marks = ReadMarks::default();
        marks.raise("general", Seq(5));
        let mut list = RoomList::new(UserId("ada".into()), marks);
        assert_eq!(list.apply_answer(answer(vec![event("general", 9, "bob")])), 0);
        assert_eq!(unread(&list), Some(4));
    }

    #[test]
    fn own_messages_are_never_unread() {
        let mut list = list_of_ada();
        list.apply_answer(answer(vec![event("general", 1, "bob")]));
        for (seq, author) in [(2, "bob"), (3, "ada"), (4, "bob"), (4, "bob"), (5, "ada"), (5, "ada")] {
            list.apply_event(event("general", seq, author));
        }
        assert_eq!(unread(&list), Some(2));
        list.mark_read("general", Seq(2));
        assert_eq!(unread(&list), Some(1));
    }

    #[test]
    fn messages_read_in_another_tab_are_read() {
        let mut list = list_of_ada();
        list.apply_answer(answer(vec![event("general", 1, "bob")]));
        list.apply_event(event("general", 2, "bob"));
        let mut other = ReadMarks::default();
        other.raise("general", Seq(2));
        assert!(list.merge_marks(other.clone()));
        assert_eq!(unread(&list), Some(0));
        assert!(!list.merge_marks(other));
    }

    #[test]
    fn unread_messages_are_counted_anew_after_a_restore_of_the_log() {
        let mut marks = ReadMarks::default();
        marks.raise("general", Seq(500));
        let mut list = RoomList::new(UserId("ada".into()), marks);
        list.apply_answer(answer(vec![event("general", 3, "bob")]));
        assert_eq!((unread(&list), list.marks.of("general")), (Some(0), Some(Seq(500))));
        list.apply_answer(answer(vec![event("general", 3, "bob")]));
        assert_eq!((unread(&list), list.marks.of("general")), (Some(0), Some(Seq(3))));
        assert_eq!(list.apply_event(event("general", 4, "bob")), 1);
    }

    #[test]
    fn a_pushed_presence_overrules_lists_until_the_connection_is_lost() {
        let mut list = list_of_ada();
        let mut fresh = answer(vec![event("general", 1, "bob")]);
        fresh.rooms[0].online = 2;
        let online = |list: &RoomList| list.find("general").map(|room| room.online);
        list.apply_answer(fresh.clone());
        assert_eq!(online(&list), Some(2));
        list.apply_presence("general", 3);
        list.apply_answer(fresh.clone());
        assert_eq!(online(&list), Some(3));
        list.forget_presence();
        assert_eq!(online(&list), Some(0));
        list.apply_answer(fresh);
        assert_eq!(online(&list), Some(2));
    }

    #[test]
    fn a_late_list_does_not_lower_a_head() {
        let mut list = list_of_ada();
        list.apply_answer(answer(vec![event("general", 1, "bob")]));
        list.apply_event(event("general", 2, "bob"));
        assert_eq!(list.apply_answer(answer(vec![event("general", 1, "bob")])), 0);
        assert!(list.is_up_to_date("general", Seq(2)));
        assert!(!list.is_up_to_date("general", Seq(3)));
        assert!(list.is_up_to_date("unknown", Seq::ZERO));
    }

    #[test]
    fn repeatedly_late_lists_do_not_lower_a_head() {
        let mut list = list_of_ada();
        list.apply_answer(answer(vec![event("general", 1, "bob")]));
        for seq in 2..20 {
            list.apply_event(event("general", seq * 2, "bob"));
            list.apply_answer(answer(vec![event("general", seq * 2 - 1, "bob")]));
        }
        assert!(list.is_up_to_date("general", Seq(38)));
    }
}
