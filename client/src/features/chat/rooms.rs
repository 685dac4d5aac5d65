//! `Rooms`: keeps the list of rooms fresh, by asking for it and by listening to what is in it.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::features::chat::{ROOMS, room_topic};
use shared::{Millis, Problem, Status, Topic};

use super::room_list::RoomList;
use crate::realtime::{News, Realtime, use_realtime, watch_topics};
use crate::ui::{PageTitle, live, use_page_title};
use crate::{browser, http, identity::use_me};

/// How often the list is asked for while somebody looks: a room that is new is heard of in no other way.
const FRESH: Duration = Duration::from_secs(15);
/// And while nobody does, for the title of the tab counts what comes.
const FRESH_HIDDEN_MS: Millis = 60_000;
/// Many rooms may be found to have moved on at once, after a reconnect: one question answers for all.
const GATHER_MS: u64 = 150;
/// So many rooms are listened to: a session may have a hundred topics, and the open room is one of them.
const WATCHED_MAX: usize = 80;

/// The rooms of the app. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Rooms {
    /// What is known.
    pub(super) list: RwSignal<RoomList>,
    /// The time, fresh enough for "5 min ago".
    pub(super) now: RwSignal<Millis>,
    problem: RwSignal<String>,
    realtime: Realtime,
    asking: StoredValue<Asking>,
    title: PageTitle,
}

#[derive(Clone, Copy, PartialEq)]
enum Asking {
    No,
    Yes,
    /// And once more after that, since there is reason to.
    Again,
}

impl Rooms {
    /// Makes it and keeps it fresh for as long as the calling component lives.
    pub(super) fn provide() {
        let me = untrack(|| use_me().identity()).expect("pages are shown to somebody who is signed in");
        let rooms = Rooms {
            list: RwSignal::new(RoomList::new(me.id)),
            problem: RwSignal::new(String::new()),
            now: RwSignal::new(browser::wall_ms()),
            realtime: use_realtime(),
            asking: StoredValue::new(Asking::No),
            title: use_page_title(),
        };
        provide_context(rooms);
        rooms.ask();
        rooms.ask_when_there_is_reason();
        watch_topics(
            move || rooms.topics(),
            move |news| match news {
                News::Event(event) => rooms.take(|list| list.take_event(event)),
                News::Head(topic, seq) if !rooms.is_aware(&topic, seq) => rooms.ask(),
                News::Head(..) => {}
                News::Presence(topic, total) => {
                    rooms.list.update(|list| list.take_presence(topic.name(), total));
                }
            },
        );
    }

    /// Asks the server for the list, soon.
    pub(super) fn ask(self) {
        if self.asking.get_value() != Asking::No {
            return self.asking.set_value(Asking::Again);
        }
        self.asking.set_value(Asking::Yes);
        spawn_local(async move {
            loop {
                browser::sleep(GATHER_MS).await;
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
        Some(self.problem.get()).filter(|problem| !problem.is_empty() && !self.realtime.is_away())
    }

    /// Somebody looks at the room.
    pub(super) fn mark_read(self, name: &str) {
        if self.list.with_untracked(|list| list.find(name).is_some_and(|room| room.unread > 0)) {
            self.list.update(|list| list.mark_read(name));
        }
    }

    fn take(self, change: impl FnOnce(&mut RoomList) -> u64) {
        let news = self.list.try_update(change);
        self.title.add_unread(news.unwrap_or_default());
    }

    fn take_answer(self, answer: Result<shared::features::chat::Rooms, Problem>) {
        let problem = match answer {
            Ok(answer) => {
                self.take(|list| list.take_list(answer));
                String::new()
            }
            Err(problem) => problem.detail,
        };
        self.problem.try_set(problem);
    }

    /// After a reconnect, when the page is shown again, and now and then: often while somebody looks, or where
    /// nothing is pushed.
    fn ask_when_there_is_reason(self) {
        let status = self.realtime.status();
        let was = Cell::new(None);
        Effect::new(live(move || {
            let is = status.get();
            if is != Status::Connected {
                self.list.update(RoomList::forget_presence);
            }
            if matches!(is, Status::Connected | Status::Polling) && was.get().is_some_and(|was| was != is) {
                self.ask();
            }
            was.set(Some(is));
        }));
        let look = move || {
            let (now, is_polling) = (browser::wall_ms(), status.get_untracked() == Status::Polling);
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

    fn is_aware(self, topic: &Topic, seq: shared::Seq) -> bool {
        self.list.with_untracked(|list| list.is_aware(topic.name(), seq))
    }

    /// The topics of the liveliest rooms.
    fn topics(self) -> Vec<Topic> {
        self.list.with(|list| {
            list.rooms().iter().take(WATCHED_MAX).filter_map(|room| room_topic(&room.name).ok()).collect()
        })
    }
}

/// The [`Rooms`] that the layout provides.
pub(super) fn use_rooms() -> Rooms {
    use_context().expect("the layout provides it to every page of the demo")
}
