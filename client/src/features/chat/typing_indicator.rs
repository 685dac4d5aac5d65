//! The line that tells that others are writing, below what they have written.

use std::time::Duration;

use leptos::prelude::*;
use shared::features::chat::ChatSignal;

use super::timeline::Timeline;
use super::typing::{BELIEVED_MS, Typing};
use crate::account::use_account;
use crate::browser;
use crate::realtime::TopicReader;
use crate::ui::{reactive, use_announcer};

/// Who is writing in the room, for as long as the calling component lives.
pub(super) fn use_typing(reader: TopicReader<Timeline>) -> RwSignal<Typing> {
    let (typing, me, announcer) = (RwSignal::new(Typing::default()), use_account(), use_announcer());
    reader.on_signal(move |from, signal| {
        // One's own other tab.
        if untrack(|| me.identity()).is_none_or(|me| me.id == from.id) {
            return;
        }
        match signal {
            ChatSignal::Typing => {
                if typing.try_update(|typing| typing.hear(from, browser::now_ms())) == Some(true) {
                    announcer.say(typing.read_untracked().aloud());
                }
                let expire = move || {
                    typing.try_update(|typing| typing.expire(browser::now_ms()));
                };
                set_timeout(expire, Duration::from_millis(BELIEVED_MS as u64 + 10));
            }
            ChatSignal::Stopped => typing.try_update(|typing| typing.stop(&from.id)).unwrap_or_default(),
        }
    });
    Effect::new(reactive(move || {
        let members = reader.members.read();
        if typing.with_untracked(Typing::is_anyone) {
            typing.update(|typing| typing.keep_members(&members));
        }
    }));
    typing
}

/// Says in the room that somebody writes here, now and then while they do.
pub(super) fn signal_typing(reader: TopicReader<Timeline>, typing: RwSignal<Typing>) {
    if typing.try_update_untracked(|typing| typing.should_signal(browser::now_ms())) == Some(true) {
        reader.signal(&ChatSignal::Typing);
    }
}

/// Says that they do not any more.
pub(super) fn signal_stopped(reader: TopicReader<Timeline>, typing: RwSignal<Typing>) {
    if typing.try_update_untracked(|typing| typing.should_signal_stop(browser::now_ms())) == Some(true) {
        reader.signal(&ChatSignal::Stopped);
    }
}

/// Always as high as its text, so that nothing moves when somebody begins. It is read aloud by the announcer,
/// which does not repeat itself.
#[component]
pub(super) fn TypingIndicator(typing: RwSignal<Typing>) -> impl IntoView {
    let names = Memo::new(move |_| typing.with(Typing::names));
    let words = reactive(move || match names.get().as_slice() {
        [] => ().into_any(),
        [one] => view! { <bdi>{one.clone()}</bdi> " is typing…" }.into_any(),
        [one, other] => {
            view! { <bdi>{one.clone()}</bdi> " and " <bdi>{other.clone()}</bdi> " are typing…" }.into_any()
        }
        _ => "Several people are typing…".into_any(),
    });
    view! { <p id="typing" class="typing" aria-hidden="true">{words}</p> }
}
