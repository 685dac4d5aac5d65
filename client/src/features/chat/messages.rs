//! How the rows of a room look.

use leptos::prelude::*;
use shared::{Key, Millis};

use super::arrival::NEW_ROW;
use super::markup::{Part, parts};
use super::rows::{Message, Row, Stage};
use crate::browser;
use crate::ui::{Avatar, Icon, IconOf, in_words, live, time};

const DAY_MS: Millis = 24 * 60 * 60 * 1_000;

/// What a person can do about a line that was not sent.
#[derive(Clone, Copy)]
pub(super) struct OnFailed {
    /// Send it, under the key that it has.
    pub(super) retry: Callback<Key>,
    /// Write it anew.
    pub(super) edit: Callback<Key>,
    /// Forget it.
    pub(super) discard: Callback<Key>,
}

/// One row.
#[component]
pub(super) fn RowView(row: Row, now: RwSignal<Millis>, on_failed: OnFailed) -> impl IntoView {
    match row {
        Row::Day { at, .. } => {
            view! { <li class="day"><span>{live(move || time::day(at, now.get()))}</span></li> }.into_any()
        }
        Row::New => view! { <li class=NEW_ROW translate="no"><span>"New"</span></li> }.into_any(),
        Row::Message(message) => view! { <MessageView message on_failed/> }.into_any(),
    }
}

#[component]
fn MessageView(message: Message, on_failed: OnFailed) -> impl IntoView {
    let Message { line, continues, is_own, stage } = message;
    let class = [Some("message"), is_own.then_some("own"), continues.then_some("continues"), stage.class()];
    let class = class.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let seq = (stage == Stage::Settled).then(|| line.seq.to_string());
    let (author, name, at) = (line.author.clone(), line.author.name.to_string(), line.at);
    let (key, name_of_key) = (line.key.clone(), line.key.as_str().to_owned());
    view! {
        <li class=class data-seq=seq data-key=name_of_key>
            <Avatar of=author/>
            <div class="message-body">
                <p class="message-head">
                    <bdi class="message-author">{name}</bdi>
                    <span class="visually-hidden">{is_own.then_some(" (you)")}</span>
                    <time class="message-time" datetime=time::machine_readable(at) title=time::full(at)>
                        {time::clock(at)}
                    </time>
                </p>
                <div class="message-text" dir="auto" translate="yes">
                    {parts(&line.text).into_iter().map(part_view).collect_view()}
                </div>
                <StageView stage at key on_failed/>
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
fn StageView(stage: Stage, at: Millis, key: Key, on_failed: OnFailed) -> impl IntoView {
    let (words, send) = match stage {
        Stage::Settled => return ().into_any(),
        Stage::Pending => {
            return view! { <p class="message-stage"><Icon of=IconOf::Clock/><span>"Sending"</span></p> }
                .into_any();
        }
        Stage::Failed(problem) => (format!("Not sent. {}", in_words(&problem)), "Try again"),
        Stage::Held => (held_in_words(at, browser::node_ms()), "Send"),
    };
    let act = move |what: Callback<Key>| {
        let key = key.clone();
        move |_| what.run(key.clone())
    };
    view! {
        <div class="message-stage failure">
            <p role="alert"><Icon of=IconOf::Alert/><span>{words}</span></p>
            <button class="link-button message-retry" type="button" on:click=act(on_failed.retry)>{send}</button>
            <button class="link-button message-edit" type="button" on:click=act(on_failed.edit)>"Edit"</button>
            <button class="link-button message-discard" type="button" on:click=act(on_failed.discard)>
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
