//! How the rows of a room look.

use leptos::prelude::*;
use shared::{Key, Millis};

use super::markup::{Part, parts};
use super::rows::{MessageRow, MessageState, Row};
use super::visit::NEW_ROW;
use crate::browser;
use crate::ui::{Avatar, Icon, IconName, problem_text, reactive, time};

const DAY_MS: Millis = 24 * 60 * 60 * 1_000;

/// What a person can do about a message that was not sent.
#[derive(Clone, Copy)]
pub(super) struct UnsentActions {
    /// Send it, under the key that it has.
    pub(super) retry: Callback<Key>,
    /// Write it anew.
    pub(super) edit: Callback<Key>,
    /// Forget it.
    pub(super) discard: Callback<Key>,
}

/// One row.
#[component]
pub(super) fn RowView(row: Row, now: RwSignal<Millis>, actions: UnsentActions) -> impl IntoView {
    match row {
        Row::Day { at, .. } => {
            view! { <li class="day"><span>{reactive(move || time::day(at, now.get()))}</span></li> }
                .into_any()
        }
        Row::New => view! { <li class=NEW_ROW translate="no"><span>"New"</span></li> }.into_any(),
        Row::Message(message) => view! { <MessageView message actions/> }.into_any(),
    }
}

#[component]
fn MessageView(message: MessageRow, actions: UnsentActions) -> impl IntoView {
    let MessageRow { message, continues, is_own, state } = message;
    let class = [Some("message"), is_own.then_some("own"), continues.then_some("continues"), state.class()];
    let class = class.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let seq = (state == MessageState::Settled).then(|| message.seq.to_string());
    let (author, name, at) = (message.author.clone(), message.author.name.to_string(), message.at);
    let (key, name_of_key) = (message.key.clone(), message.key.as_str().to_owned());
    view! {
        <li class=class data-seq=seq data-key=name_of_key>
            <Avatar identity=author/>
            <div class="message-body">
                <p class="message-head">
                    <bdi class="message-author">{name}</bdi>
                    <span class="visually-hidden">{is_own.then_some(" (you)")}</span>
                    <time class="message-time" datetime=time::machine_readable(at) title=time::full(at)>
                        {time::clock(at)}
                    </time>
                </p>
                <div class="message-text" dir="auto" translate="yes">
                    {parts(&message.text).into_iter().map(part_view).collect_view()}
                </div>
                <StageView state at key actions/>
            </div>
        </li>
    }
}

/// One part of the text. It is set as text, whatever it holds.
fn part_view(part: Part<'_>) -> AnyView {
    match part {
        Part::Text(text) => text.to_owned().into_any(),
        Part::Link(address) => view! {
            <a
                href=address.to_owned() target="_blank" rel="noopener noreferrer nofollow ugc" dir="ltr"
                translate="no"
            >
                {address.to_owned()}
            </a>
        }
        .into_any(),
        Part::Code(code) => view! { <code dir="auto" translate="no">{code.to_owned()}</code> }.into_any(),
        Part::Block { language, code } => {
            let language = (!language.is_empty())
                .then(|| view! { <span class="code-language">{format!("{language}\n")}</span> });
            view! { <pre dir="auto" translate="no" tabindex="0">{language}<code>{code.to_owned()}</code></pre> }
                .into_any()
        }
    }
}

#[component]
fn StageView(state: MessageState, at: Millis, key: Key, actions: UnsentActions) -> impl IntoView {
    let (words, send) = match state {
        MessageState::Settled => return ().into_any(),
        MessageState::Pending => {
            return view! { <p class="message-stage"><Icon name=IconName::Clock/><span>"Sending"</span></p> }
                .into_any();
        }
        MessageState::Failed(problem) => (format!("Not sent. {}", problem_text(&problem)), "Try again"),
        MessageState::Held => (held_in_words(at, browser::node_ms()), "Send"),
    };
    let act = move |what: Callback<Key>| {
        let key = key.clone();
        move |_| what.run(key.clone())
    };
    view! {
        <div class="message-stage failure">
            <p role="alert"><Icon name=IconName::Alert/><span>{words}</span></p>
            <button class="link-button message-retry" type="button" on:click=act(actions.retry)>{send}</button>
            <button class="link-button message-edit" type="button" on:click=act(actions.edit)>"Edit"</button>
            <button class="link-button message-discard" type="button" on:click=act(actions.discard)>
                "Discard"
            </button>
        </div>
    }
    .into_any()
}

fn held_in_words(at: Millis, now: Millis) -> String {
    match (now - at) / DAY_MS {
        ..=1 => "Written a day ago, not sent.".into(),
        days => format!("Written {days} days ago, not sent."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_held_tells_its_age_in_days() {
        assert_eq!(held_in_words(0, 31 * DAY_MS + 5), "Written 31 days ago, not sent.");
        assert_eq!(held_in_words(0, -5), "Written a day ago, not sent.");
    }
}
