//! `LiveRooms`: keeps the list of rooms fresh, by asking for it and by listening to what is in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::features::chat::{ROOMS, room_topic};
use shared::{Millis, Problem, Seq, Status, Topic, UserId};

use super::read_marks::ReadMarks;
use super::room_list::RoomList;
use crate::browser::{self, Storage, Throttle};
use crate::realtime::{Realtime, TopicUpdate, follow_topics, use_realtime};
use crate::ui::{TabTitle, problem_text, reactive, use_tab_title};
use crate::{account::use_account, http};

/// How often the list is asked for while somebody looks: a room that is new is heard of in no other way.
const FRESH: Duration = Duration::from_secs(15);
/// And while nobody does, for the title of the tab counts what comes.
const FRESH_HIDDEN_MS: Millis = 60_000;
/// Many rooms may be found to have moved on at once, after a reconnect: one question answers for all.
const GATHER_MS: u64 = 150;
/// So many rooms are listened to: a session may have a hundred topics, and the open room is one of them.
const WATCHED_MAX: usize = 80;
/// More messages do not wait for the list to be drawn.
const HEARD_MAX: usize = 500;
/// Name of the storage item for a person's marks, with their id behind it.
const MARKS: &str = "duplex:read:";
/// In a lively room the mark moves with every message; it is kept this long afterwards at the latest.
const KEEP_MARKS: Duration = Duration::from_secs(1);

/// The rooms of the app. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct LiveRooms {
    /// What is known.
    pub(super) list: RwSignal<RoomList>,
    /// The time, fresh enough for "5 min ago".
    pub(super) now: RwSignal<Millis>,
    me: StoredValue<UserId>,
    problem: RwSignal<Option<Problem>>,
    realtime: Realtime,
    is_keeping: StoredValue<bool>,
    asking: StoredValue<Asking>,
    title: TabTitle,
}

#[derive(Clone, Copy, PartialEq)]
enum Asking {
    No,
    Yes,
    /// And once more after that, since there is reason to.
    Again,
}

impl LiveRooms {
    /// Makes it and keeps it fresh for as long as the calling component lives.
    pub(super) fn provide() {
        let me = untrack(|| use_account().identity()).expect("pages are shown to somebody who is signed in");
        let rooms = LiveRooms {
            list: RwSignal::new(RoomList::new(me.id.clone(), kept_marks(&me.id))),
            me: StoredValue::new(me.id),
            problem: RwSignal::new(None),
            now: RwSignal::new(browser::node_ms()),
            is_keeping: StoredValue::new(false),
            realtime: use_realtime(),
            asking: StoredValue::new(Asking::No),
            title: use_tab_title(),
        };
        provide_context(rooms);
        rooms.ask_after(0);
        rooms.ask_when_there_is_reason();
        rooms.share_marks();
        let heard = Rc::new(RefCell::new(Vec::new()));
        let throttle = Throttle::new({
            let heard = heard.clone();
            move || rooms.take(|list| heard.take().into_iter().map(|event| list.take_event(event)).sum())
        });
        follow_topics(
            move || rooms.topics(),
            move |news| match news {
                TopicUpdate::Event(event) => {
                    heard.borrow_mut().push(event);
                    if heard.borrow().len() < HEARD_MAX { throttle.request() } else { throttle.call_now() }
                }
                TopicUpdate::Head(topic, seq) if !rooms.is_aware(&topic, seq) => rooms.ask(),
                TopicUpdate::Head(..) => {}
                TopicUpdate::Presence(topic, total) => {
                    rooms.list.update(|list| list.take_presence(topic.name(), total));
                }
            },
        );
    }

    /// Asks the server for the list, soon.
    pub(super) fn ask(self) {
        self.ask_after(GATHER_MS);
    }

    fn ask_after(self, millis: u64) {
        if self.asking.get_value() != Asking::No {
            return self.asking.set_value(Asking::Again);
        }
        self.asking.set_value(Asking::Yes);
        spawn_local(async move {
            let mut pause = millis;
            loop {
                browser::sleep(pause).await;
                pause = GATHER_MS;
                self.asking.try_set_value(Asking::Yes);
                self.take_answer(http::get_json(ROOMS).await);
                if self.asking.try_get_value() != Some(Asking::Again) {
                    break;
                }
            }
            self.asking.try_set_value(Asking::No);
        });
    }

    /// Why the list may be out of date, where the badge does not say so already.
    pub(super) fn problem(self) -> Option<String> {
        self.problem.get().filter(|_| !self.realtime.is_away()).map(|problem| problem_text(&problem))
    }

    /// The newest seq that this person has read in the room; nothing for a room that they never saw.
    pub(super) fn mark(self, name: &str) -> Option<Seq> {
        self.list.with_untracked(|list| list.marks().get(name))
    }

    /// The person has read the room up to `seq`.
    pub(super) fn mark_read(self, name: &str, seq: Seq) {
        if self.mark(name).is_none_or(|mark| mark < seq) {
            self.list.update(|list| list.mark_read(name, seq));
            self.keep_marks_soon();
        }
    }

    fn take(self, change: impl FnOnce(&mut RoomList) -> u64) {
        let news = self.list.try_update(change);
        self.title.add_unread(news.unwrap_or_default());
        self.keep_marks_soon();
    }

    fn take_answer(self, answer: Result<shared::features::chat::Rooms, Problem>) {
        let problem = match answer {
            Ok(answer) => {
                self.take(|list| list.take_list(answer));
                None
            }
            Err(problem) => Some(problem),
        };
        self.problem.try_set(problem);
    }

    /// Takes in what other tabs have read, and keeps what was read here until the page goes away.
    fn share_marks(self) {
        let stored = window_event_listener_untyped("storage", move |_| {
            let kept = kept_marks(&self.me.get_value());
            let is_news = self.list.try_update_untracked(|list| list.merge_marks(kept));
            if is_news == Some(true) {
                self.list.notify();
            }
        });
        let gone = window_event_listener_untyped("pagehide", move |_| self.keep_marks());
        on_cleanup(move || {
            self.keep_marks();
            stored.remove();
            gone.remove();
        });
    }

    fn keep_marks_soon(self) {
        let is_changed = self.list.try_with_untracked(|list| list.marks().is_changed());
        if is_changed == Some(true) && !self.is_keeping.get_value() {
            self.is_keeping.set_value(true);
            set_timeout(move || self.keep_marks(), KEEP_MARKS);
        }
    }

    fn keep_marks(self) {
        let Some(me) = self.me.try_get_value() else { return };
        self.is_keeping.set_value(false);
        let text = self.list.try_update_untracked(|list| {
            list.marks().is_changed().then(|| {
                list.merge_marks(kept_marks(&me));
                list.marks_kept();
                list.marks().to_json()
            })
        });
        if let Some(text) = text.flatten() {
            // Where it cannot be kept, it is remembered as long as the page is open.
            let _ = Storage::Browser.write(&format!("{MARKS}{me}"), &text);
        }
    }

    /// After a reconnect, when the page is shown again, and now and then: often while somebody looks, or where
    /// nothing is pushed.
    fn ask_when_there_is_reason(self) {
        let status = self.realtime.status();
        let was = Cell::new(None);
        Effect::new(reactive(move || {
            let is = status.get();
            // A node that has just been reached has told its time.
            self.now.set(browser::node_ms());
            if is != Status::Connected {
                self.list.update(RoomList::forget_presence);
            }
            if matches!(is, Status::Connected | Status::Polling) && was.get().is_some_and(|was| was != is) {
                self.ask();
            }
            was.set(Some(is));
        }));
        let look = move || {
            let (now, is_polling) = (browser::node_ms(), status.get_untracked() == Status::Polling);
            let is_due =
                is_polling || !browser::is_hidden() || now - self.now.get_untracked() >= FRESH_HIDDEN_MS;
            if is_due && !untrack(|| self.realtime.is_away()) {
                self.now.set(now);
                self.ask();
            }
        };
        let timer = set_interval_with_handle(look, FRESH);
        let shown = window_event_listener_untyped("visibilitychange", move |_| look());
        on_cleanup(move || {
            timer.iter().for_each(|timer| timer.clear());
            shown.remove();
        });
    }

    fn is_aware(self, topic: &Topic, seq: Seq) -> bool {
        self.list.with_untracked(|list| list.is_aware(topic.name(), seq))
    }

    /// The topics of the liveliest rooms.
    fn topics(self) -> Vec<Topic> {
        self.list.with(|list| {
            list.rooms().iter().take(WATCHED_MAX).filter_map(|room| room_topic(&room.name).ok()).collect()
        })
    }
}

/// The [`LiveRooms`] that the layout provides.
pub(super) fn use_rooms() -> LiveRooms {
    use_context().expect("the layout provides it to every page of the demo")
}

/// Reads the marks of this person that the browser keeps. The marks of others, who signed out, are of no use any more.
fn kept_marks(me: &UserId) -> ReadMarks {
    let name = format!("{MARKS}{me}");
    for other in Storage::Browser.names(MARKS).iter().filter(|other| **other != name) {
        Storage::Browser.remove(other);
    }
    ReadMarks::from_json(&Storage::Browser.read(&name).unwrap_or_default())
}
