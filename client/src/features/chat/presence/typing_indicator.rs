//! `TypingIndicator`: the line below the messages that names who is typing, and the signals behind it.

use std::time::Duration;

use leptos::prelude::*;
use shared::features::chat::ChatSignal;

use super::typing::{SIGNAL_LIFETIME_MS, Typing};
use crate::account::use_account;
use crate::browser;
use crate::features::chat::timeline::Timeline;
use crate::realtime::TopicReader;
use crate::ui::{reactive, use_announcer};

/// Follows who is typing in the room, for as long as the calling component lives.
pub fn use_typing(reader: TopicReader<Timeline>) -> RwSignal<Typing> {
    let typing = RwSignal::new(Typing::default());
    let account = use_account();
    let announcer = use_announcer();
    reader.on_signal(move |from, signal| {
        // The user's own signals, from another tab.
        if untrack(|| account.identity()).is_none_or(|me| me.id == from.id) {
            return;
        }
        match signal {
            ChatSignal::Typing => {
                if typing.try_update(|typing| typing.add(from, browser::now_ms())) == Some(true) {
                    announcer.say(typing.read_untracked().announcement());
                }
                let expire = move || {
                    typing.try_update(|typing| typing.expire(browser::now_ms()));
                };
                set_timeout(expire, Duration::from_millis(SIGNAL_LIFETIME_MS as u64 + 10));
            }
            ChatSignal::Stopped => {
                typing.try_update(|typing| typing.remove(&from.id));
            }
        }
    });
    Effect::new(reactive(move || {
        let members = reader.members.read();
        if typing.with_untracked(Typing::is_anyone) {
            typing.update(|typing| typing.retain_members(&members));
        }
    }));
    typing
}

/// Signals that the user is typing, if a signal is due.
pub fn signal_typing(reader: TopicReader<Timeline>, typing: RwSignal<Typing>) {
    if typing.try_update_untracked(|typing| typing.should_signal(browser::now_ms())) == Some(true) {
        reader.signal(&ChatSignal::Typing);
    }
}

/// Signals that the user has stopped typing, if others may still believe the last signal.
pub fn signal_stopped(reader: TopicReader<Timeline>, typing: RwSignal<Typing>) {
    if typing.try_update_untracked(|typing| typing.should_signal_stop(browser::now_ms())) == Some(true) {
        reader.signal(&ChatSignal::Stopped);
    }
}

/// The names of those who are typing. The line keeps its height while it is empty, so that nothing moves. It is hidden
/// from screen readers, to which the announcer repeats nothing.
#[component]
pub fn TypingIndicator(typing: RwSignal<Typing>) -> impl IntoView {
    let names = Memo::new(move |_| typing.with(Typing::names));
    let text = reactive(move || match names.get().as_slice() {
        [] => ().into_any(),
        [one] => view! { <bdi>{one.clone()}</bdi> " is typing…" }.into_any(),
        [one, other] => {
            view! { <bdi>{one.clone()}</bdi> " and " <bdi>{other.clone()}</bdi> " are typing…" }.into_any()
        }
        _ => "Several people are typing…".into_any(),
    });
    view! { <p id="typing" class="typing" aria-hidden="true">{text}</p> }
}
