//! `RoomVisit`: what a reader sees on coming into a room, or back to its tab: the place where they were, or the first
//! message that is new to them. And what they have read from then on.

use std::cell::Cell;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Seq, UserId};

use super::live_rooms::{LiveRooms, use_rooms};
use super::older_messages::OlderMessages;
use super::scroll_position::ScrollPosition;
use super::scroller::Scroller;
use super::timeline::Timeline;
use crate::browser;
use crate::realtime::{LoadState, TopicReader};
use crate::ui::reactive;

/// The row that says from where on the messages are new.
pub(super) const NEW_ROW: &str = "unread-start";

/// One visit to a room. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct RoomVisit {
    room: StoredValue<String>,
    me: Memo<Option<UserId>>,
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    older: OlderMessages,
    rooms: LiveRooms,
    /// The room's mark when it came into sight.
    read_before: RwSignal<Option<Seq>>,
    /// True if the reader is where they belong, so that what is in sight from now on is read.
    is_over: RwSignal<bool>,
    is_tab_shown: RwSignal<bool>,
}

impl RoomVisit {
    /// Begins one that ends with the calling component.
    pub(super) fn begin(
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
            is_over: RwSignal::new(false),
            is_tab_shown: RwSignal::new(!browser::is_hidden()),
        };
        visit.arrive_once_ready();
        visit.note_what_is_read();
        visit.look_when_the_tab_is_shown();
        visit.keep_the_place();
        visit
    }

    /// True if the reader is where they belong. Not tracked.
    pub(super) fn is_over(self) -> bool {
        self.is_over.try_get_untracked() == Some(true)
    }

    /// The first message that was new when the room came into sight, where it is here.
    pub(super) fn new_from(self) -> Memo<Option<Seq>> {
        let RoomVisit { me, reader, read_before, .. } = self;
        Memo::new(move |_| {
            let (before, me) = (read_before.get()?, me.get()?);
            reader.projection.with(|timeline| timeline.first_of_others_after(before, &me))
        })
    }

    fn arrive_once_ready(self) {
        let is_begun = Cell::new(false);
        Effect::new(reactive(move || {
            if self.reader.load_state.get() == LoadState::Ready && !is_begun.replace(true) {
                spawn_local(self.arrive());
            }
        }));
    }

    async fn arrive(self) {
        let Some(room) = self.room.try_get_value() else { return };
        let newest = self.reader.projection.with_untracked(Timeline::newest);
        let (place, mark) =
            (ScrollPosition::kept(&room), self.rooms.mark(&room).filter(|mark| *mark < newest));
        self.read_before.set(mark);
        let first = place.map(|place| place.seq).or(mark.map(Seq::next));
        let Some(first) = first else { return self.is_over.set(true) };
        self.older.pull_back_to(first).await;
        self.show_once_drawn(place);
    }

    /// Goes to the place, or else up to what is new, once all that was taken in is drawn.
    fn show_once_drawn(self, place: Option<ScrollPosition>) {
        request_animation_frame(move || {
            let Some(read_before) = self.read_before.try_get_untracked() else { return };
            let unread = self.unread(read_before);
            if unread == 0 {
                // What comes from now on comes before the reader's eyes.
                self.read_before.set(None);
            }
            if !place.is_some_and(|place| self.scroller.go_to(place, unread)) {
                self.scroller.go_up_to(&format!(".{NEW_ROW}"), unread);
            }
            self.is_over.set(true);
        });
    }

    /// Number of messages of others after the mark, as far as they are here.
    fn unread(self, mark: Option<Seq>) -> usize {
        let (Some(mark), Some(me)) = (mark, self.me.get_untracked()) else { return 0 };
        self.reader.projection.with_untracked(|timeline| timeline.of_others_after(mark, &me).count())
    }

    /// The end was seen by somebody who is at the end of a tab that is shown.
    fn note_what_is_read(self) {
        Effect::new(reactive(move || {
            let newest = self.reader.projection.with(Timeline::newest);
            let is_seen = self.is_over.get() && self.is_tab_shown.get() && self.scroller.is_at_end.get();
            if is_seen && newest > Seq::ZERO {
                self.room.with_value(|room| self.rooms.mark_read(room, newest));
            }
        }));
    }

    fn look_when_the_tab_is_shown(self) {
        let changed = window_event_listener_untyped("visibilitychange", move |_| {
            let is_shown = !browser::is_hidden();
            if is_shown && self.is_over() {
                self.come_back();
            }
            self.is_tab_shown.set(is_shown);
        });
        on_cleanup(move || changed.remove());
    }

    /// Marks as new the messages that came meanwhile. Somebody who had scrolled up stays where they are.
    fn come_back(self) {
        let mark = self.room.with_value(|room| self.rooms.mark(room));
        if self.unread(mark) == 0 {
            return;
        }
        self.read_before.set(mark);
        if self.scroller.is_at_end.get_untracked() {
            self.is_over.set(false);
            self.show_once_drawn(None);
        }
    }

    /// A reload is a leave as well.
    fn keep_the_place(self) {
        let keep = move || {
            if let Some(room) = self.room.try_get_value().filter(|_| self.is_over()) {
                ScrollPosition::keep(&room, self.scroller.place());
            }
        };
        let gone = window_event_listener_untyped("pagehide", move |_| keep());
        on_cleanup(move || {
            keep();
            gone.remove();
        });
    }
}
