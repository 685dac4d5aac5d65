//! `RoomPage`: one room. Reads its topic, shows it, and hands what is written to the outbox.

use std::cell::Cell;

use leptos::prelude::*;
use shared::features::chat::{NewMessage, messages, room_topic};
use shared::{Seq, Topic};

use super::composer::{COMPOSER, Composer};
use super::conversation::Conversation;
use super::draft::use_draft;
use super::path_of;
use super::present::Present;
use super::room_name::room_name;
use super::rooms::use_rooms;
use super::scroller::Scroller;
use super::timeline::Timeline;
use super::typing_line::{TypingLine, say_typing, use_typing};
use crate::browser;
use crate::realtime::{Reading, TopicReader, use_topic};
use crate::ui::{Heading, Icon, IconOf, focus_on, live};

/// The room of that name, or why there is none.
#[component]
pub(super) fn RoomPage(name: String) -> impl IntoView {
    match room_topic(&name) {
        Ok(topic) => view! { <Room topic/> }.into_any(),
        Err(rule) => view! { <BadName name rule=rule.to_string()/> }.into_any(),
    }
}

#[component]
fn Room(topic: Topic) -> impl IntoView {
    let name = topic.name().to_owned();
    let reader = use_topic::<Timeline>(topic);
    let scroller = Scroller::new();
    keep_the_list_aware(reader, name.clone());

    let (url, draft, typing) = (messages(&name), use_draft(&name), use_typing(reader));
    let on_send = Callback::new(move |text| {
        reader.publish(url.clone(), &NewMessage { text })?;
        typing.write_untracked().sent();
        scroller.to_end();
        Ok(())
    });
    let edit = Callback::new(move |key| {
        let failed = reader.discard(&key).and_then(|post| post.body.read().ok());
        if let Some(NewMessage { text }) = failed {
            draft.update(|draft| *draft = before(text, draft));
            focus_on(COMPOSER);
        }
    });
    let pull = move |_| reader.pull_again();
    let trouble = live(move || match reader.reading.get() {
        Reading::Trouble(problem) => view! {
            <div class="bar" role="alert">
                <p>"Messages may be missing. " {problem.detail}</p>
                <button class="link-button" type="button" on:click=pull>"Try again"</button>
            </div>
        }
        .into_any(),
        _ => ().into_any(),
    });
    view! {
        <section class="room">
            <header class="room-head">
                <a class="icon-button back" href="/">
                    <Icon of=IconOf::Back/><span class="visually-hidden">"All rooms"</span>
                </a>
                <Heading text=name.clone()/>
                <Present reader/>
            </header>
            {trouble}
            <Conversation room=name.clone() reader scroller typing edit/>
            <TypingLine typing/>
            <Composer room=name text=draft on_write=move |()| say_typing(reader, typing) on_send/>
        </section>
    }
}

/// A line that is to be written anew stands before what was begun meanwhile.
fn before(text: String, draft: &str) -> String {
    if draft.trim().is_empty() { text } else { format!("{text}\n{draft}") }
}

/// The list beside the room learns of a room that is new, and that this one is being read.
fn keep_the_list_aware(reader: TopicReader<Timeline>, name: String) {
    let rooms = use_rooms();
    let asked_at = Cell::new(Seq::ZERO);
    Effect::new(live(move || {
        let newest = reader.projection.with(Timeline::newest);
        let is_known = rooms.list.with(|list| list.find(&name).is_some());
        if !is_known && newest > asked_at.get() {
            rooms.ask();
        }
        if !browser::is_hidden() {
            rooms.mark_read(&name);
        }
        asked_at.set(newest);
    }));
}

#[component]
fn BadName(name: String, rule: String) -> impl IntoView {
    let suggestion = room_name(&name).ok().map(|name| {
        let href = path_of(&name);
        view! { <a class="button" href=href>"Go to " {name}</a> }
    });
    view! {
        <section class="lobby">
            <Heading text="No room can be called that"/>
            <p class="lead">"The name of a room " {rule} "."</p>
            <p class="actions">{suggestion} <a class="button quiet" href="/">"All rooms"</a></p>
        </section>
    }
}
