//! `RoomList`: the rooms, the liveliest first, with what is unread in each.
//!
//! The server's list is the truth; pushed events are hints that keep it fresh in between. Both may be late,
//! so a room only ever moves on to a higher head.

use shared::features::chat::{ChatEvent, RoomSummary, Rooms as RoomsAnswer};
use shared::{Event, Millis, Seq, UserId};

/// All rooms that are known, in the order in which they are shown.
#[derive(Debug)]
pub(super) struct RoomList {
    me: UserId,
    rooms: Vec<RoomEntry>,
    is_loaded: bool,
}

/// One room.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RoomEntry {
    pub(super) name: String,
    pub(super) head: Seq,
    pub(super) last: Option<Event>,
    /// How many lines of others came since the room was last open here.
    pub(super) unread: u64,
    /// How many people are there, as far as anybody told.
    pub(super) online: u64,
    /// Whether `online` was pushed, and so is fresher than any list.
    is_online_heard: bool,
}

impl RoomEntry {
    /// When the last line was written.
    pub(super) fn at(&self) -> Option<Millis> {
        self.last.as_ref().map(|event| event.at)
    }

    /// Who wrote the last line, and what.
    pub(super) fn preview(&self) -> Option<(String, String)> {
        let event = self.last.as_ref()?;
        let ChatEvent::Posted { text } = event.payload.read().ok()?;
        Some((event.author.name.to_string(), text.into()))
    }
}

impl RoomList {
    /// As `me` sees it: nothing known yet.
    pub(super) fn new(me: UserId) -> RoomList {
        RoomList { me, rooms: Vec::new(), is_loaded: false }
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

    /// The server's list. Tells how many lines of others are news.
    pub(super) fn take_list(&mut self, answer: RoomsAnswer) -> u64 {
        let is_first = !std::mem::replace(&mut self.is_loaded, true);
        // The liveliest last, so that rooms of the same moment keep the server's order.
        let mut news = 0;
        for room in answer.rooms.into_iter().rev() {
            let (name, online) = (room.name.clone(), room.online);
            news += self.take(room, is_first);
            if let Some(room) = self.find_mut(&name).filter(|room| !room.is_online_heard) {
                room.online = online;
            }
        }
        news
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

    /// A pushed event. Tells how many lines of others are news.
    pub(super) fn take_event(&mut self, event: Event) -> u64 {
        let (name, head) = (event.topic.name().to_owned(), event.seq);
        self.take(RoomSummary { name, head, online: 0, last: Some(event) }, false)
    }

    /// Somebody looks at the room: nothing in it is unread.
    pub(super) fn mark_read(&mut self, name: &str) {
        if let Some(room) = self.find_mut(name) {
            room.unread = 0;
        }
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut RoomEntry> {
        self.rooms.iter_mut().find(|room| room.name == name)
    }

    fn take(&mut self, fresh: RoomSummary, is_first: bool) -> u64 {
        let mut room = match self.rooms.iter().position(|room| room.name == fresh.name) {
            Some(place) if self.rooms[place].head > fresh.head => return 0,
            Some(place) => self.rooms.remove(place),
            None => {
                let head = if is_first { fresh.head } else { Seq::ZERO };
                RoomEntry { name: fresh.name, head, last: None, unread: 0, online: 0, is_online_heard: false }
            }
        };
        let is_of_others = fresh.last.as_ref().is_some_and(|event| event.author.id != self.me);
        let news = if is_of_others { fresh.head.since(room.head) } else { 0 };
        room.head = fresh.head;
        room.last = fresh.last.or(room.last);
        room.unread += news;
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
        let payload = Payload::from_json(format!(r#"{{"posted":{{"text":"line {seq}"}}}}"#)).unwrap();
        let (topic, key) = (room_topic(room).unwrap(), Key::try_from(format!("k{seq}")).unwrap());
        Event { topic, seq: Seq(seq), at: seq as Millis * 1_000, author, key, payload }
    }

    fn answer(events: Vec<Event>) -> RoomsAnswer {
        let summary = |event: Event| {
            let (name, head) = (event.topic.name().to_owned(), event.seq);
            RoomSummary { name, head, online: 0, last: Some(event) }
        };
        RoomsAnswer { rooms: events.into_iter().map(summary).collect() }
    }

    fn names(list: &RoomList) -> Vec<&str> {
        list.rooms().iter().map(|room| room.name.as_str()).collect()
    }

    #[test]
    fn the_liveliest_room_comes_first() {
        let mut list = RoomList::new(UserId("ada".into()));
        list.take_list(answer(vec![event("tea", 2, "bob"), event("general", 1, "bob")]));
        assert_eq!(names(&list), ["tea", "general"]);
        list.take_event(event("general", 3, "bob"));
        assert_eq!(names(&list), ["general", "tea"]);
        assert_eq!(list.rooms()[0].preview(), Some(("bob".into(), "line 3".into())));
    }

    #[test]
    fn only_what_others_say_after_the_first_list_is_news() {
        let mut list = RoomList::new(UserId("ada".into()));
        assert_eq!(list.take_list(answer(vec![event("general", 5, "bob")])), 0);
        assert_eq!(list.take_event(event("general", 6, "ada")), 0);
        assert_eq!(list.take_event(event("general", 7, "bob")), 1);
        assert_eq!(list.take_list(answer(vec![event("general", 9, "bob")])), 2);
        assert_eq!(list.take_event(event("tea", 1, "bob")), 1);
        assert_eq!(list.find("general").map(|room| room.unread), Some(3));
        list.mark_read("general");
        assert_eq!(list.find("general").map(|room| room.unread), Some(0));
    }

    #[test]
    fn a_pushed_presence_is_fresher_than_a_list_until_the_connection_is_lost() {
        let mut list = RoomList::new(UserId("ada".into()));
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
        let mut list = RoomList::new(UserId("ada".into()));
        list.take_list(answer(vec![event("general", 1, "bob")]));
        list.take_event(event("general", 2, "bob"));
        assert_eq!(list.take_list(answer(vec![event("general", 1, "bob")])), 0);
        assert!(list.is_aware("general", Seq(2)));
        assert!(!list.is_aware("general", Seq(3)));
        assert!(list.is_aware("unheard-of", Seq::ZERO));
    }
}
