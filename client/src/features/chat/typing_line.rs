//! `TypingLine`: tells that others are writing, below what they have written.

use std::time::Duration;

use leptos::prelude::*;
use shared::features::chat::ChatSignal;
use shared::{Millis, Seq};

use super::timeline::Timeline;
use super::typing::{BELIEVED_MS, SAY_EVERY_MS, Typing};
use crate::browser;
use crate::identity::use_me;
use crate::realtime::TopicReader;

/// It is said aloud this often at most, however lively the room is.
const SPOKEN_EVERY_MS: Millis = 30_000;

/// Always as high as its text, so that nothing moves when somebody begins.
#[component]
pub(super) fn TypingLine(reader: TopicReader<Timeline>) -> impl IntoView {
    let (typing, me) = (RwSignal::new(Typing::default()), use_me());
    reader.on_signal(move |from, ChatSignal::Typing| {
        // One's own other tab.
        if untrack(|| me.identity()).is_none_or(|me| me.id == from.id) {
            return;
        }
        typing.update(|typing| typing.hear(from, browser::now_ms()));
        let expire = move || typing.try_update(|typing| typing.expire(browser::now_ms())).unwrap_or_default();
        set_timeout(expire, Duration::from_millis(BELIEVED_MS as u64 + 10));
    });
    Effect::new(move |seen: Option<Seq>| {
        let timeline = reader.projection.read();
        if let Some(seen) = seen {
            typing.update(|typing| timeline.after(seen).for_each(|line| typing.stop(&line.author.id)));
        }
        timeline.newest()
    });
    let words = Memo::new(move |_| typing.with(Typing::words));
    let spoken = RwSignal::new(String::new());
    Effect::new(move |last: Option<(bool, Millis)>| {
        let (was_silent, spoken_at) = last.unwrap_or((true, -SPOKEN_EVERY_MS));
        let (words, now) = (words.get(), browser::now_ms());
        let is_silent = words.is_empty();
        if is_silent || !was_silent || now - spoken_at < SPOKEN_EVERY_MS {
            return (is_silent, spoken_at);
        }
        spoken.set(words);
        (is_silent, now)
    });
    view! {
        <div class="typing">
            <p id="typing" aria-hidden="true">{words}</p>
            <p class="visually-hidden" role="status">{spoken}</p>
        </div>
    }
}

/// Tells the room that somebody is writing here. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Typist {
    reader: TopicReader<Timeline>,
    said_at: StoredValue<Millis>,
}

impl Typist {
    /// Has said nothing yet.
    pub(super) fn new(reader: TopicReader<Timeline>) -> Typist {
        Typist { reader, said_at: StoredValue::new(-SAY_EVERY_MS) }
    }

    /// With every change of the text: says so now and then.
    pub(super) fn writes(self) {
        let now = browser::now_ms();
        if now - self.said_at.get_value() >= SAY_EVERY_MS {
            self.said_at.set_value(now);
            self.reader.signal(&ChatSignal::Typing);
        }
    }

    /// What was written is sent: the next text is another one.
    pub(super) fn sends(self) {
        self.said_at.set_value(-SAY_EVERY_MS);
    }
}
