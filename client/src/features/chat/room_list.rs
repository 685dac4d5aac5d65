//! `RoomList`: the rooms, the liveliest first, with what is unread in each.
//!
//! The server's list is the truth; pushed events are hints that keep it fresh in between. Both may be late, so a
//! room only ever moves on to a higher head, until two lists in a row say otherwise: then the log was restored.

use shared::features::chat::{ChatEvent, RoomSummary, Rooms};
use shared::{Event, Millis, Seq, UserId};

use super::read_marks::ReadMarks;

/// All rooms that are known, in the order in which they are shown.
#[derive(Debug)]
pub(super) struct RoomList {
    me: UserId,
    rooms: Vec<RoomEntry>,
    marks: ReadMarks,
    is_loaded: bool,
}

/// One room.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RoomEntry {
    pub(super) name: String,
    pub(super) head: Seq,
    pub(super) last: Option<Event>,
    /// Number of messages of others after the mark up to which it was read.
    pub(super) unread: u64,
    /// How many people are there, as far as anybody told.
    pub(super) online: u64,
    /// Whether `online` was pushed, and so is fresher than any list.
    is_online_heard: bool,
    /// Own messages after the mark.
    own: Vec<Seq>,
    /// The head that was known when a list came with a lower one.
    doubted: Option<Seq>,
}

impl RoomEntry {
    /// A room that nothing is known of but how far it goes.
    fn new(name: String, head: Seq) -> RoomEntry {
        RoomEntry {
            name,
            head,
            last: None,
            unread: 0,
            online: 0,
            is_online_heard: false,
            own: Vec::new(),
            doubted: None,
        }
    }

    /// When the last message was written.
    pub(super) fn at(&self) -> Option<Millis> {
        self.last.as_ref().map(|event| event.at)
    }

    /// Who wrote the last message, and what.
    pub(super) fn preview(&self) -> Option<(String, String)> {
        let event = self.last.as_ref()?;
        let ChatEvent::Posted { text } = event.payload.read().ok()?;
        Some((event.author.name.to_string(), text.into()))
    }

    fn count(&mut self, mark: Seq) {
        self.own.retain(|seq| *seq > mark);
        self.unread = self.head.since(mark).saturating_sub(self.own.len() as u64);
    }
}

impl RoomList {
    /// As `me` sees it, who has read up to `marks`: no room known yet.
    pub(super) fn new(me: UserId, marks: ReadMarks) -> RoomList {
        RoomList { me, rooms: Vec::new(), marks, is_loaded: false }
    }

    /// In the order in which they are shown.
    pub(super) fn rooms(&self) -> &[RoomEntry] {
        &self.rooms
    }

    /// Whether the server's list has arrived; until then an empty list means nothing.
    pub(super) fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// The room of that name.
    pub(super) fn find(&self, name: &str) -> Option<&RoomEntry> {
        self.rooms.iter().find(|room| room.name == name)
    }

    /// Whether everything up to `seq` is in the list already.
    pub(super) fn is_aware(&self, name: &str, seq: Seq) -> bool {
        self.find(name).map_or(seq == Seq::ZERO, |room| room.head >= seq)
    }

    /// The mark of each room: the newest seq that was read there.
    pub(super) fn marks(&self) -> &ReadMarks {
        &self.marks
    }

    /// The server's list. Tells how many messages of others are news.
    pub(super) fn take_list(&mut self, answer: Rooms) -> u64 {
        let is_first = !std::mem::replace(&mut self.is_loaded, true);
        // The liveliest last, so that rooms of the same moment keep the server's order.
        let mut news = 0;
        for room in answer.rooms.into_iter().rev() {
            let (name, online) = (room.name.clone(), room.online);
            self.believe_a_lower_head(&room);
            news += self.take(room);
            if let Some(room) = self.find_mut(&name).filter(|room| !room.is_online_heard) {
                room.online = online;
            }
        }
        if is_first { 0 } else { news }
    }

    /// A pushed presence.
    pub(super) fn take_presence(&mut self, name: &str, total: u64) {
        if let Some(room) = self.find_mut(name) {
            (room.online, room.is_online_heard) = (total, true);
        }
    }

    /// No presence is pushed any more: what was heard of it grows old.
    pub(super) fn forget_presence(&mut self) {
        for room in &mut self.rooms {
            (room.online, room.is_online_heard) = (0, false);
        }
    }

    /// A pushed event. Tells how many messages of others are news.
    pub(super) fn take_event(&mut self, event: Event) -> u64 {
        let (name, head) = (event.topic.name().to_owned(), event.seq);
        self.take(RoomSummary { name, head, online: 0, last: Some(event) })
    }

    /// Somebody has read the room up to `seq`.
    pub(super) fn mark_read(&mut self, name: &str, seq: Seq) {
        let is_news = self.marks.raise(name, seq);
        if let Some(room) = self.find_mut(name).filter(|_| is_news) {
            room.count(seq);
        }
    }

    /// Takes in the marks of another tab. Returns whether that changes anything.
    pub(super) fn merge_marks(&mut self, other: ReadMarks) -> bool {
        let is_changed = self.marks.merge(other);
        if is_changed {
            for room in &mut self.rooms {
                room.count(self.marks.get(&room.name).unwrap_or(room.head));
            }
        }
        is_changed
    }

    /// The browser keeps the marks as they are now.
    pub(super) fn marks_kept(&mut self) {
        self.marks.kept();
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut RoomEntry> {
        self.rooms.iter_mut().find(|room| room.name == name)
    }

    /// A list that was asked for after one with a lower head came, and is lower still, is no late answer.
    fn believe_a_lower_head(&mut self, fresh: &RoomSummary) {
        let Some(room) = self.rooms.iter_mut().find(|room| room.name == fresh.name) else { return };
        if fresh.head >= room.head {
            room.doubted = None;
            return;
        }
        if room.doubted.is_some_and(|known| fresh.head < known) {
            room.head = fresh.head;
            room.own.clear();
            room.doubted = None;
            if self.marks.get(&fresh.name).is_some_and(|mark| mark > fresh.head) {
                self.marks.lower(&fresh.name, fresh.head);
            }
        } else {
            room.doubted = Some(room.head);
        }
    }

    fn take(&mut self, fresh: RoomSummary) -> u64 {
        let mark = self.marks.get(&fresh.name);
        let mut room = match self.rooms.iter().position(|room| room.name == fresh.name) {
            Some(place) if self.rooms[place].head > fresh.head => return 0,
            Some(place) => self.rooms.remove(place),
            // What was read is known as well, though this list may not tell of it yet.
            None => RoomEntry::new(fresh.name, mark.map_or(fresh.head, |mark| mark.max(fresh.head))),
        };
        if room.head > fresh.head {
            room.doubted = Some(room.head);
        }
        let before = room.unread;
        let is_own = fresh.last.as_ref().is_some_and(|event| event.author.id == self.me);
        room.head = room.head.max(fresh.head);
        room.last = fresh.last.or(room.last);
        // Seen for the first time, it counts from here.
        let mut mark = mark.unwrap_or(room.head);
        if is_own && fresh.head > mark && room.own.last() < Some(&fresh.head) {
            room.own.push(fresh.head);
        }
        if is_own && fresh.head == mark.next() {
            mark = fresh.head;
        }
        self.marks.raise(&room.name, mark);
        room.count(mark);
        let news = room.unread.saturating_sub(before);
        let place = self.rooms.iter().position(|other| other.at() <= room.at());
        self.rooms.insert(place.unwrap_or(self.rooms.len()), room);
        news
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
        let (topic, key) = (room_topic(room).unwrap(), Key::try_from(format!("k{seq}")).unwrap());
        Event { topic, seq: Seq(seq), at: seq as Millis * 1_000, author, key, payload }
    }

    fn answer(events: Vec<Event>) -> Rooms {
        let summary = |event: Event| {
            let (name, head) = (event.topic.name().to_owned(), event.seq);
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
        list.rooms().iter().map(|room| room.name.as_str()).collect()
    }

    #[test]
    fn the_liveliest_room_comes_first() {
        let mut list = list_of_ada();
        list.take_list(answer(vec![event("tea", 2, "bob"), event("general", 1, "bob")]));
        assert_eq!(names(&list), ["tea", "general"]);
        list.take_event(event("general", 3, "bob"));
        assert_eq!(names(&list), ["general", "tea"]);
        assert_eq!(list.rooms()[0].preview(), Some(("bob".into(), "message 3".into())));
    }

    #[test]
    fn only_what_others_say_after_the_first_list_is_news() {
        let mut list = list_of_ada();
        assert_eq!(list.take_list(answer(vec![event("general", 5, "bob")])), 0);
        assert_eq!(list.take_event(event("general", 6, "ada")), 0);
        assert_eq!(list.take_event(event("general", 7, "bob")), 1);
        assert_eq!(list.take_list(answer(vec![event("general", 9, "bob")])), 2);
        assert_eq!(unread(&list), Some(3));
        list.mark_read("general", Seq(8));
        assert_eq!(unread(&list), Some(1));
        list.mark_read("general", Seq(9));
        assert_eq!(unread(&list), Some(0));
    }

    #[test]
    fn a_room_that_is_seen_for_the_first_time_counts_from_there() {
        let mut list = list_of_ada();
        list.take_list(answer(vec![event("tea", 900, "bob")]));
        assert_eq!(list.take_list(answer(vec![event("general", 700, "bob")])), 0);
        assert_eq!(unread(&list), Some(0));
        assert_eq!(list.take_event(event("general", 701, "bob")), 1);
    }

    #[test]
    fn what_was_unread_when_the_browser_was_closed_is_unread_when_it_is_opened() {
        let mut marks = ReadMarks::default();
        marks.raise("general", Seq(5));
        let mut list = RoomList::new(UserId("ada".into()), marks);
        assert_eq!(list.take_list(answer(vec![event("general", 9, "bob")])), 0);
        assert_eq!(unread(&list), Some(4));
    }

    #[test]
    fn own_lines_never_count() {
        let mut list = list_of_ada();
        list.take_list(answer(vec![event("general", 1, "bob")]));
        for (seq, author) in [(2, "bob"), (3, "ada"), (4, "bob"), (4, "bob"), (5, "ada"), (5, "ada")] {
            list.take_event(event("general", seq, author));
        }
        assert_eq!(unread(&list), Some(2));
        list.mark_read("general", Seq(2));
        assert_eq!(unread(&list), Some(1));
    }

    #[test]
    fn what_another_tab_has_read_is_read() {
        let mut list = list_of_ada();
        list.take_list(answer(vec![event("general", 1, "bob")]));
        list.take_event(event("general", 2, "bob"));
        let mut other = ReadMarks::default();
        other.raise("general", Seq(2));
        assert!(list.merge_marks(other.clone()));
        assert_eq!(unread(&list), Some(0));
        assert!(!list.merge_marks(other));
    }

    #[test]
    fn a_log_that_was_restored_is_counted_anew() {
        let mut marks = ReadMarks::default();
        marks.raise("general", Seq(500));
        let mut list = RoomList::new(UserId("ada".into()), marks);
        list.take_list(answer(vec![event("general", 3, "bob")]));
        assert_eq!((unread(&list), list.marks().get("general")), (Some(0), Some(Seq(500))));
        list.take_list(answer(vec![event("general", 3, "bob")]));
        assert_eq!((unread(&list), list.marks().get("general")), (Some(0), Some(Seq(3))));
        assert_eq!(list.take_event(event("general", 4, "bob")), 1);
    }

    #[test]
    fn a_pushed_presence_is_fresher_than_a_list_until_the_connection_is_lost() {
        let mut list = list_of_ada();
        let mut told = answer(vec![event("general", 1, "bob")]);
        told.rooms[0].online = 2;
        let online = |list: &RoomList| list.find("general").map(|room| room.online);
        list.take_list(told.clone());
        assert_eq!(online(&list), Some(2));
        list.take_presence("general", 3);
        list.take_list(told.clone());
        assert_eq!(online(&list), Some(3));
        list.forget_presence();
        assert_eq!(online(&list), Some(0));
        list.take_list(told);
        assert_eq!(online(&list), Some(2));
    }

    #[test]
    fn a_late_list_does_not_turn_time_back() {
        let mut list = list_of_ada();
        list.take_list(answer(vec![event("general", 1, "bob")]));
        list.take_event(event("general", 2, "bob"));
        assert_eq!(list.take_list(answer(vec![event("general", 1, "bob")])), 0);
        assert!(list.is_aware("general", Seq(2)));
        assert!(!list.is_aware("general", Seq(3)));
        assert!(list.is_aware("unheard-of", Seq::ZERO));
    }

    #[test]
    fn lists_that_are_late_again_and_again_do_not_turn_time_back() {
        let mut list = list_of_ada();
        list.take_list(answer(vec![event("general", 1, "bob")]));
        for seq in 2..20 {
            list.take_event(event("general", seq * 2, "bob"));
            list.take_list(answer(vec![event("general", seq * 2 - 1, "bob")]));
        }
        assert!(list.is_aware("general", Seq(38)));
    }
}
