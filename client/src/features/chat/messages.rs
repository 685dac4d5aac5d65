//! How the rows of a room look.

use leptos::prelude::*;
use shared::{Key, Millis};

use super::rows::{Message, Row, Stage};
use crate::ui::{Avatar, Icon, IconOf, live, time};

/// What a person can do about a line that was not sent.
#[derive(Clone, Copy)]
pub(super) struct OnFailed {
    /// Send it once more.
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
        Row::Message(message) => view! { <MessageView message on_failed/> }.into_any(),
    }
}

#[component]
fn MessageView(message: Message, on_failed: OnFailed) -> impl IntoView {
    let Message { line, continues, is_own, stage } = message;
    let class = [
        Some("message"),
        is_own.then_some("own"),
        continues.then_some("continues"),
        (stage == Stage::Pending).then_some("pending"),
        matches!(stage, Stage::Failed(_)).then_some("failed"),
    ];
    let class = class.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let seq = (stage == Stage::Settled).then(|| line.seq.to_string());
    let (author, name, at) = (line.author.clone(), line.author.name.to_string(), line.at);
    let (key, name_of_key) = (line.key.clone(), line.key.as_str().to_owned());
    view! {
        <li class=class data-seq=seq data-key=name_of_key>
            <Avatar of=author/>
            <div class="message-body">
                <p class="message-head">
                    <span class="message-author">{name}</span>
                    <span class="visually-hidden">{is_own.then_some(" (you)")}</span>
                    <time class="message-time" datetime=time::machine_readable(at) title=time::full(at)>
                        {time::clock(at)}
                    </time>
                </p>
                <p class="message-text" dir="auto">{line.text.clone()}</p>
                <StageView stage key on_failed/>
            </div>
        </li>
    }
}

#[component]
fn StageView(stage: Stage, key: Key, on_failed: OnFailed) -> impl IntoView {
    match stage {
        Stage::Settled => ().into_any(),
        Stage::Pending => view! {
            <p class="message-stage"><Icon of=IconOf::Clock/><span>"Sending"</span></p>
        }
        .into_any(),
        Stage::Failed(problem) => {
            let act = move |what: Callback<Key>| {
                let key = key.clone();
                move |_| what.run(key.clone())
            };
            view! {
                <div class="message-stage failure">
                    <p role="alert"><Icon of=IconOf::Alert/><span>"Not sent. " {problem.detail}</span></p>
                    <button class="link-button message-retry" type="button" on:click=act(on_failed.retry)>
                        "Try again"
                    </button>
                    <button class="link-button message-edit" type="button" on:click=act(on_failed.edit)>
                        "Edit"
                    </button>
                    <button class="link-button message-discard" type="button" on:click=act(on_failed.discard)>
                        "Discard"
                    </button>
                </div>
            }
            .into_any()
        }
    }
}
