//! `LiveRooms`: keeps the list of rooms up to date, by pulling it and by following the topics of its rooms.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::features::chat::{ROOMS, Rooms, room_topic};
use shared::{Millis, Problem, Seq, Status, UserId};

use super::read_marks::ReadMarks;
use super::room_list::RoomList;
use crate::account::use_account;
use crate::browser::{self, Throttle, WebStorage};
use crate::http;
use crate::realtime::{Realtime, TopicUpdate, follow_topics, use_realtime};
use crate::ui::{TabTitle, problem_text, reactive, use_tab_title};

/// The interval of pulls while the tab is visible: new rooms are found in no other way.
const PULL_EVERY: Duration = Duration::from_secs(15);
/// The interval of pulls while the tab is hidden, for the unread count in its title.
const PULL_EVERY_HIDDEN_MS: Millis = 60_000;
/// The time for which requests for a pull are collected: after a reconnect many rooms ask for one at once.
const COLLECT_MS: u64 = 150;
/// The most rooms that are followed: a session may have a hundred topics, and the open room is one of them.
const FOLLOWED_MAX: usize = 80;
/// The most pushed events that wait for the list to be rendered.
const QUEUED_MAX: usize = 500;
/// The prefix of the storage item with a user's read marks; the user's id follows.
const MARKS: &str = "duplex:read:";
/// The longest time for which a changed mark is only in memory. In a lively room marks move with every message.
const SAVE_MARKS_AFTER: Duration = Duration::from_secs(1);

/// The list of rooms and what keeps it up to date. Cheap to copy.
#[derive(Clone, Copy)]
pub struct LiveRooms {
    /// The list.
    pub(super) list: RwSignal<RoomList>,
    /// The node's time, precise enough for "5 min ago".
    pub now: RwSignal<Millis>,
    me: StoredValue<UserId>,
    problem: RwSignal<Option<Problem>>,
    realtime: Realtime,
    will_save_marks: StoredValue<bool>,
    pull_state: StoredValue<PullState>,
    title: TabTitle,
}

#[derive(Clone, Copy, PartialEq)]
enum PullState {
    Idle,
    Pulling,
    /// Pulling, and another pull follows.
    PullingAgain,
}

impl LiveRooms {
    /// Creates the list, keeps it up to date for as long as the calling component lives, and provides it to everything
    /// below.
    pub fn provide() {
        let me = untrack(|| use_account().identity()).expect("features are shown only to a signed-in user");
        let rooms = LiveRooms {
            list: RwSignal::new(RoomList::new(me.id.clone(), load_marks(&me.id))),
            me: StoredValue::new(me.id),
            problem: RwSignal::new(None),
            now: RwSignal::new(browser::node_ms()),
            will_save_marks: StoredValue::new(false),
            realtime: use_realtime(),
            pull_state: StoredValue::new(PullState::Idle),
            title: use_tab_title(),
        };
        provide_context(rooms);
        rooms.pull_after(0);
        rooms.pull_on_status_change();
        rooms.pull_regularly();
        rooms.share_marks();
        rooms.follow_rooms();
    }

    fn follow_rooms(self) {
        let queue = Rc::new(RefCell::new(Vec::new()));
        let throttle = Throttle::new({
            let queue = queue.clone();
            move || self.update(|list| queue.take().into_iter().map(|event| list.apply_event(event)).sum())
        });
        follow_topics(
            // The rooms with the latest messages.
            move || {
                let rooms = self.list.read();
                let topics = rooms.rooms.iter().filter_map(|room| room_topic(&room.name).ok());
                topics.take(FOLLOWED_MAX).collect()
            },
            move |update| match update {
                TopicUpdate::Event(event) => {
                    queue.borrow_mut().push(event);
                    let is_full = queue.borrow().len() >= QUEUED_MAX;
                    if is_full { throttle.call_now() } else { throttle.request() }
                }
                TopicUpdate::Head(topic, seq) => {
                    if !self.list.read_untracked().is_up_to_date(topic.name(), seq) {
                        self.pull();
                    }
                }
                TopicUpdate::Presence(topic, total) => {
                    self.list.update(|list| list.apply_presence(topic.name(), total));
                }
            },
        );
    }

    /// Pulls the list from the server, soon.
    pub fn pull(self) {
        self.pull_after(COLLECT_MS);
    }

    fn pull_after(self, millis: u64) {
        if self.pull_state.get_value() != PullState::Idle {
            return self.pull_state.set_value(PullState::PullingAgain);
        }
        self.pull_state.set_value(PullState::Pulling);
        spawn_local(async move {
            let mut pause = millis;
            loop {
                browser::sleep(pause).await;
                pause = COLLECT_MS;
                self.pull_state.try_set_value(PullState::Pulling);
                let answer = http::get_json::<Rooms>(ROOMS).await;
                let applied = answer.map(|answer| self.update(|list| list.apply_answer(answer)));
                self.problem.try_set(applied.err());
                if self.pull_state.try_get_value() != Some(PullState::PullingAgain) {
                    break;
                }
            }
            self.pull_state.try_set_value(PullState::Idle);
        });
    }

    /// True if the list has a room of that name. Tracked.
    pub fn contains(self, name: &str) -> bool {
        self.list.with(|list| list.find(name).is_some())
    }

    /// The reason why the list may be out of date, unless the connection badge shows it already. Tracked.
    pub(super) fn problem(self) -> Option<String> {
        self.problem.get().filter(|_| !self.realtime.is_away()).as_ref().map(problem_text)
    }

    /// The newest seq that the user has read in the room; `None` for a room that they have never seen.
    pub fn mark(self, name: &str) -> Option<Seq> {
        self.list.with_untracked(|list| list.marks.of(name))
    }

    /// Marks the room as read up to `seq`.
    pub fn mark_read(self, name: &str, seq: Seq) {
        if self.mark(name).is_none_or(|mark| mark < seq) {
            self.list.update(|list| list.mark_read(name, seq));
            self.save_marks_soon();
        }
    }

    /// Changes the list; `change` returns the number of new messages of others.
    fn update(self, change: impl FnOnce(&mut RoomList) -> u64) {
        let new_messages = self.list.try_update(change);
        self.title.add_unread(new_messages.unwrap_or_default());
        self.save_marks_soon();
    }

    /// Merges the marks that other tabs store, and saves this tab's marks when it is left.
    fn share_marks(self) {
        browser::on_window_event("storage", move || {
            let stored = load_marks(&self.me.get_value());
            let is_changed = self.list.try_update_untracked(|list| list.merge_marks(stored));
            if is_changed == Some(true) {
                self.list.notify();
            }
        });
        browser::on_leave(move || self.save_marks());
    }

    fn save_marks_soon(self) {
        let is_changed = self.list.try_with_untracked(|list| list.marks.is_changed);
        if is_changed == Some(true) && !self.will_save_marks.get_value() {
            self.will_save_marks.set_value(true);
            set_timeout(move || self.save_marks(), SAVE_MARKS_AFTER);
        }
    }

    fn save_marks(self) {
        let Some(me) = self.me.try_get_value() else { return };
        self.will_save_marks.set_value(false);
        let text = self.list.try_update_untracked(|list| {
            list.marks.is_changed.then(|| {
                list.merge_marks(load_marks(&me));
                list.marks.set_stored();
                list.marks.to_json()
            })
        });
        if let Some(text) = text.flatten() {
            // Without storage the marks last as long as the tab.
            let _ = WebStorage::Browser.write(&format!("{MARKS}{me}"), &text);
        }
    }

    /// Pulls after every reconnect.
    fn pull_on_status_change(self) {
        let status = self.realtime.status();
        let last_status = Cell::new(None);
        Effect::new(reactive(move || {
            let status = status.get();
            // A node that has just been reached has reported its time.
            self.now.set(browser::node_ms());
            if status != Status::Connected {
                self.list.update(RoomList::forget_presence);
            }
            let is_changed = last_status.get().is_some_and(|last| last != status);
            if matches!(status, Status::Connected | Status::Polling) && is_changed {
                self.pull();
            }
            last_status.set(Some(status));
        }));
    }

    /// Pulls at intervals and when the tab is shown. In a hidden tab the interval is longer, unless nothing is pushed.
    fn pull_regularly(self) {
        let status = self.realtime.status();
        let pull_if_due = move || {
            let now = browser::node_ms();
            let is_polling = status.get_untracked() == Status::Polling;
            let is_old = now - self.now.get_untracked() >= PULL_EVERY_HIDDEN_MS;
            let is_due = is_polling || !document().hidden() || is_old;
            if is_due && !untrack(|| self.realtime.is_away()) {
                self.now.set(now);
                self.pull();
            }
        };
        browser::repeat(PULL_EVERY, pull_if_due);
        browser::on_window_event("visibilitychange", pull_if_due);
    }
}

/// Returns the [`LiveRooms`] that the chat provides.
pub fn use_rooms() -> LiveRooms {
    use_context().expect("the chat provides it to all of its views")
}

/// Loads the user's marks from storage, and removes those of others, who have signed out.
fn load_marks(me: &UserId) -> ReadMarks {
    let name = format!("{MARKS}{me}");
    for other in WebStorage::Browser.names(MARKS).iter().filter(|other| **other != name) {
        WebStorage::Browser.remove(other);
    }
    ReadMarks::from_json(&WebStorage::Browser.read(&name).unwrap_or_default())
}
