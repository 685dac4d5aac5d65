//! `RowView`: the view of one row of a conversation.

use leptos::prelude::*;
use shared::{Key, Millis};

use super::markup::{TextPart, text_parts};
use super::rows::{MessageRow, Row};
use crate::browser;
use crate::realtime::SendState;
use crate::ui::{Avatar, Icon, icons, problem_text, reactive, time};

/// The CSS class of [`Row::New`].
pub const NEW_ROW: &str = "unread-start";

const DAY_MS: Millis = 24 * 60 * 60 * 1_000;

/// The actions on a message that was not sent.
#[derive(Clone, Copy)]
pub struct UnsentActions {
    /// Sends it again, under the same key.
    pub retry: Callback<Key>,
    /// Moves its text back to the composer.
    pub edit: Callback<Key>,
    /// Discards it.
    pub discard: Callback<Key>,
}

/// The view of one row.
#[component]
pub fn RowView(row: Row, now: RwSignal<Millis>, actions: UnsentActions) -> impl IntoView {
    match row {
        Row::Day { at, .. } => {
            let day = reactive(move || time::day(at, now.get()));
            view! { <li class="day"><span>{day}</span></li> }.into_any()
        }
        Row::New => view! { <li class=NEW_ROW translate="no"><span>"New"</span></li> }.into_any(),
        Row::Message(row) => view! { <MessageView row actions/> }.into_any(),
    }
}

#[component]
fn MessageView(row: MessageRow, actions: UnsentActions) -> impl IntoView {
    let state_class = row.state_class();
    let MessageRow { message, continues, is_own, state } = row;
    let classes = [Some("message"), is_own.then_some("own"), continues.then_some("continues"), state_class];
    let class = classes.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let seq = state.is_none().then(|| message.seq.to_string());
    let at = message.at;
    view! {
        <li class=class data-seq=seq data-key=message.key.as_str().to_owned()>
            <Avatar identity=message.author.clone()/>
            <div class="message-body">
                <p class="message-head">
                    <bdi class="message-author">{message.author.name.to_string()}</bdi>
                    <span class="visually-hidden">{is_own.then_some(" (you)")}</span>
                    <time class="message-time" datetime=time::machine_readable(at) title=time::full(at)>
                        {time::clock(at)}
                    </time>
                </p>
                <div class="message-text" dir="auto" translate="yes">
                    {text_parts(&message.text).into_iter().map(part_view).collect_view()}
                </div>
                {state.map(|state| view! { <StateView state at key=message.key.clone() actions/> })}
            </div>
        </li>
    }
}

/// The view of one part of the text. It is always set as text, never as HTML.
fn part_view(part: TextPart<'_>) -> AnyView {
    match part {
        TextPart::Text(text) => text.to_owned().into_any(),
        TextPart::Link(address) => view! {
            <a
                href=address.to_owned() target="_blank" rel="noopener noreferrer nofollow ugc" dir="ltr"
                translate="no"
            >
                {address.to_owned()}
            </a>
        }
        .into_any(),
        TextPart::Code(code) => view! { <code dir="auto" translate="no">{code.to_owned()}</code> }.into_any(),
        TextPart::Block { language, code } => {
            let language = (!language.is_empty())
                .then(|| view! { <span class="code-language">{format!("{language}\n")}</span> });
            view! { <pre dir="auto" translate="no" tabindex="0">{language}<code>{code.to_owned()}</code></pre> }
                .into_any()
        }
    }
}

/// The progress of sending a message, with the actions on one that was not sent.
#[component]
fn StateView(state: SendState, at: Millis, key: Key, actions: UnsentActions) -> impl IntoView {
    let (text, send) = match state {
        SendState::Queued | SendState::Acked(_) => {
            return view! { <p class="message-stage"><Icon path=icons::CLOCK/><span>"Sending"</span></p> }
                .into_any();
        }
        SendState::Failed(problem) => (format!("Not sent. {}", problem_text(&problem)), "Try again"),
        SendState::Held => (held_text(at, browser::node_ms()), "Send"),
    };
    let run = move |action: Callback<Key>| {
        let key = key.clone();
        move |_| action.run(key.clone())
    };
    view! {
        <div class="message-stage failure">
            <p role="alert"><Icon path=icons::ALERT/><span>{text}</span></p>
            <button class="link-button message-retry" type="button" on:click=run(actions.retry)>{send}</button>
            <button class="link-button message-edit" type="button" on:click=run(actions.edit)>"Edit"</button>
            <button class="link-button message-discard" type="button" on:click=run(actions.discard)>
                "Discard"
            </button>
        </div>
    }
    .into_any()
}

fn held_text(at: Millis, now: Millis) -> String {
    match (now - at) / DAY_MS {
        ..=1 => "Written a day ago, not sent.".into(),
        days => format!("Written {days} days ago, not sent."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_message_shows_its_age_in_days() {
        assert_eq!(held_text(0, 31 * DAY_MS + 5), "Written 31 days ago, not sent.");
        assert_eq!(held_text(0, -5), "Written a day ago, not sent.");
    }
}
