//! `RoomScreen`: one room. It reads the room's topic, shows its messages, and publishes new ones.

use std::cell::Cell;

use leptos::prelude::*;
use shared::features::chat::{NewMessage, messages, room_topic};
use shared::{Millis, Problem, Seq, Topic};

use super::conversation::Conversation;
use super::paths::path_of;
use super::presence::{MemberList, TypingIndicator, signal_stopped, signal_typing, use_typing};
use super::rooms::{ROOM_NAME_RULE, room_name, use_rooms};
use super::scrolling::Scroller;
use super::timeline::Timeline;
use super::writing::{COMPOSER, Composer, use_draft};
use crate::browser;
use crate::realtime::{LoadState, TopicReader, use_realtime, use_topic};
use crate::ui::{Heading, Icon, focus_on, icons, problem_text, reactive, time};

/// The room of that name, or an error if no room can have that name.
#[component]
pub(super) fn RoomScreen(name: String) -> impl IntoView {
    match room_topic(&name) {
        Ok(topic) => view! { <RoomContent topic/> }.into_any(),
        Err(_) => view! { <InvalidRoomName name/> }.into_any(),
    }
}

#[component]
fn RoomContent(topic: Topic) -> impl IntoView {
    let name = topic.name().to_owned();
    let reader = use_topic::<Timeline>(topic);
    let scroller = Scroller::new();
    pull_list_for_new_room(reader, name.clone());

    let url = messages(&name);
    let draft = use_draft(&name);
    let typing = use_typing(reader);
    let on_send = Callback::new(move |text| {
        reader.publish(url.clone(), &NewMessage { text })?;
        scroller.to_end();
        Ok(())
    });
    let edit = Callback::new(move |key| {
        let failed = reader.discard(&key).and_then(|post| post.body.read().ok());
        if let Some(NewMessage { text }) = failed {
            draft.update(|draft| *draft = prepend(text, draft));
            focus_on(COMPOSER);
        }
    });
    view! {
        <section class="room">
            <header class="room-head">
                <a class="icon-button back" href="/">
                    <Icon path=icons::BACK/><span class="visually-hidden">"All rooms"</span>
                </a>
                <Heading text=name.clone()/>
                <MemberList reader/>
            </header>
            <LoadFailureBar reader/>
            <Conversation room=name.clone() reader scroller typing edit/>
            <TypingIndicator typing/>
            <Composer
                room=name text=draft on_send on_write=move |()| signal_typing(reader, typing)
                on_clear=move |()| signal_stopped(reader, typing)
            />
        </section>
    }
}

/// Puts the text of an unsent message before a draft that was begun in the meantime.
fn prepend(text: String, draft: &str) -> String {
    if draft.trim().is_empty() { text } else { format!("{text}\n{draft}") }
}

/// The bar that warns of missing messages, unless the connection badge shows the cause already.
#[component]
fn LoadFailureBar(reader: TopicReader<Timeline>) -> impl IntoView {
    let realtime = use_realtime();
    let problem = Memo::new(move |_| match reader.load_state.get() {
        LoadState::Failed(problem) if !realtime.is_away() => Some(problem),
        _ => None,
    });
    reactive(move || {
        let problem = problem.get()?;
        let newest = reader.projection.with_untracked(|timeline| timeline.last().map(|message| message.at));
        Some(view! {
            <div class="bar" role="alert">
                <p>{load_failure_text(&problem, newest.map(time_text))}</p>
                <button class="link-button" type="button" on:click=move |_| reader.pull_again()>"Retry"</button>
            </div>
        })
    })
}

fn load_failure_text(problem: &Problem, newest: Option<String>) -> String {
    match newest {
        _ if !problem.code.is_temporary() => problem_text(problem),
        Some(time) => format!("Can't reach the server. Showing messages up to {time}."),
        None => "Can't reach the server.".into(),
    }
}

/// Formats a time as the time of day, with the date if it is not today.
fn time_text(at: Millis) -> String {
    let is_today = time::local_day(at) == time::local_day(browser::node_ms());
    if is_today { time::clock(at) } else { time::full(at) }
}

/// Pulls the list of rooms when a message arrives in a room that is not in the list yet.
fn pull_list_for_new_room(reader: TopicReader<Timeline>, name: String) {
    let rooms = use_rooms();
    let pulled_at = Cell::new(Seq::ZERO);
    Effect::new(reactive(move || {
        let newest = reader.projection.with(Timeline::newest);
        if !rooms.contains(&name) && newest > pulled_at.get() {
            rooms.pull();
        }
        pulled_at.set(newest);
    }));
}

#[component]
fn InvalidRoomName(name: String) -> impl IntoView {
    let suggestion = room_name(&name).ok().map(|name| {
        let href = path_of(&name);
        view! { <a class="button" href=href>"Go to #" {name}</a> }
    });
    view! {
        <section class="lobby">
            <Heading text="That isn't a valid room name"/>
            <p class="lead">{ROOM_NAME_RULE}</p>
            <p class="actions">{suggestion} <a class="button quiet" href="/">"All rooms"</a></p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use shared::ErrorCode;

    use super::*;

    #[test]
    fn a_load_failure_names_the_newest_message_shown_and_a_refusal_its_reason() {
        let away = Problem::new(ErrorCode::Unavailable, "a node is not ready");
        let refused = Problem::new(ErrorCode::Forbidden, "This room is private.");
        let text = |problem, newest: Option<&str>| load_failure_text(problem, newest.map(String::from));
        let showing = "Can't reach the server. Showing messages up to 12:24.";
        assert_eq!(text(&away, Some("12:24")), showing);
        assert_eq!(text(&away, None), "Can't reach the server.");
        assert_eq!(text(&refused, Some("12:24")), "This room is private.");
    }
}
