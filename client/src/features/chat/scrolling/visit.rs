//! `RoomVisit`: the position at which a user enters a room or comes back to its tab, and what counts as read from then
//! on. The position is the one where the user left, or else the first new message.

use std::cell::Cell;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Seq, UserId};

use super::older_messages::OlderMessages;
use super::scroll_position::ScrollPosition;
use super::scroller::Scroller;
use crate::browser;
use crate::features::chat::messages::NEW_ROW;
use crate::features::chat::rooms::{LiveRooms, use_rooms};
use crate::features::chat::timeline::Timeline;
use crate::realtime::{LoadState, TopicReader};
use crate::ui::reactive;

/// One visit to a room. Cheap to copy.
#[derive(Clone, Copy)]
pub struct RoomVisit {
    room: StoredValue<String>,
    me: Memo<Option<UserId>>,
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    older: OlderMessages,
    rooms: LiveRooms,
    /// The room's read mark when the room came into sight; messages after it are new.
    ///
    /// Example: the mark is 5 and the room ends at 8. This stays 5, so that "New" stays above 6, while the mark itself
    /// moves on to 8.
    read_before: RwSignal<Option<Seq>>,
    /// True once the list is at the position of the visit, so that what is in sight from now on is read.
    has_arrived: RwSignal<bool>,
    is_tab_visible: RwSignal<bool>,
}

impl RoomVisit {
    /// Begins a visit that ends with the calling component.
    pub fn begin(
        room: String,
        me: Memo<Option<UserId>>,
        reader: TopicReader<Timeline>,
        scroller: Scroller,
        older: OlderMessages,
    ) -> RoomVisit {
        let visit = RoomVisit {
            room: StoredValue::new(room),
            me,
            reader,
            scroller,
            older,
            rooms: use_rooms(),
            read_before: RwSignal::new(None),
            has_arrived: RwSignal::new(false),
            is_tab_visible: RwSignal::new(!document().hidden()),
        };
        visit.arrive_once_ready();
        visit.mark_read_at_end();
        visit.follow_tab_visibility();
        visit.save_position_on_leave();
        visit
    }

    /// True once the list is at the position of the visit. Not tracked.
    pub fn has_arrived(self) -> bool {
        self.has_arrived.try_get_untracked() == Some(true)
    }

    /// The first message that was new when the room came into sight, once it is loaded.
    pub fn new_from(self) -> Memo<Option<Seq>> {
        Memo::new(move |_| {
            let read_before = self.read_before.get()?;
            let me = self.me.get()?;
            self.reader.projection.with(|timeline| timeline.first_of_others_after(read_before, &me))
        })
    }

    fn arrive_once_ready(self) {
        let has_begun = Cell::new(false);
        Effect::new(reactive(move || {
            if self.reader.load_state.get() == LoadState::Ready && !has_begun.replace(true) {
                spawn_local(self.arrive());
            }
        }));
    }

    async fn arrive(self) {
        let Some(room) = self.room.try_get_value() else { return };
        let newest = self.reader.projection.with_untracked(Timeline::newest);
        let position = ScrollPosition::load(&room);
        let mark = self.rooms.mark(&room).filter(|mark| *mark < newest);
        self.read_before.set(mark);
        let first = position.map(|position| position.seq).or(mark.map(Seq::next));
        let Some(first) = first else { return self.has_arrived.set(true) };
        self.older.pull_back_to(first).await;
        self.scroll_once_rendered(position);
    }

    /// Scrolls to the position, or else up to the first new message, once everything that was loaded is rendered.
    fn scroll_once_rendered(self, position: Option<ScrollPosition>) {
        request_animation_frame(move || {
            let Some(read_before) = self.read_before.try_get_untracked() else { return };
            let unread = self.unread_after(read_before);
            if unread == 0 {
                // The user sees later messages arrive, so they are not new.
                self.read_before.set(None);
            }
            let is_restored = position.is_some_and(|position| self.scroller.go_to(position, unread));
            if !is_restored {
                self.scroller.go_up_to(&format!(".{NEW_ROW}"), unread);
            }
            self.has_arrived.set(true);
        });
    }

    /// The number of loaded messages of others after the mark.
    fn unread_after(self, mark: Option<Seq>) -> usize {
        let Some(mark) = mark else { return 0 };
        let Some(me) = self.me.get_untracked() else { return 0 };
        self.reader.projection.with_untracked(|timeline| timeline.of_others_after(mark, &me).count())
    }

    /// Marks the room as read up to its end while the user is there and the tab is visible.
    fn mark_read_at_end(self) {
        Effect::new(reactive(move || {
            let newest = self.reader.projection.with(Timeline::newest);
            let is_seen =
                self.has_arrived.get() && self.is_tab_visible.get() && self.scroller.is_at_end.get();
            if is_seen && newest > Seq::ZERO {
                self.room.with_value(|room| self.rooms.mark_read(room, newest));
            }
        }));
    }

    fn follow_tab_visibility(self) {
        browser::on_window_event("visibilitychange", move || {
            let is_visible = !document().hidden();
            if is_visible && self.has_arrived() {
                self.come_back();
            }
            self.is_tab_visible.set(is_visible);
        });
    }

    /// Marks as new the messages that came while the tab was hidden. A user who had scrolled up stays there.
    fn come_back(self) {
        let mark = self.room.with_value(|room| self.rooms.mark(room));
        if self.unread_after(mark) == 0 {
            return;
        }
        self.read_before.set(mark);
        if self.scroller.is_at_end.get_untracked() {
            self.has_arrived.set(false);
            self.scroll_once_rendered(None);
        }
    }

    /// Saves the scroll position when the user leaves the room, also by a reload.
    fn save_position_on_leave(self) {
        browser::on_leave(move || {
            if let Some(room) = self.room.try_get_value().filter(|_| self.has_arrived()) {
                ScrollPosition::save(&room, self.scroller.position());
            }
        });
    }
}
