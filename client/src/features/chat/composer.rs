//! `Composer`: where a line is written. Enter sends, Shift+Enter breaks the line.
//!
//! It grows with its text without a script: the style sheet lays an invisible copy of the text behind it. An
//! Enter that ends the composition of a character (Chinese, Japanese, Korean) is not one that sends.

use leptos::prelude::*;
use leptos::{ev, html};
use shared::Problem;
use shared::features::chat::{MessageText, TEXT_CHARS_MAX};

use crate::ui::{Icon, IconOf, live};

/// What the field is known by.
pub(super) const COMPOSER: &str = "composer";
/// From here on it is told how much room is left.
const NEAR_THE_END: i64 = 200;
/// What the browser gives for keys that belong to a composition, where it does not say so otherwise.
const KEY_CODE_COMPOSING: u32 = 229;

/// Writes to one room. `on_send` gets the trimmed line; when it fails, the line stays where it is.
#[component]
pub(super) fn Composer(
    room: String,
    /// What is in the field.
    text: RwSignal<String>,
    /// With every change that leaves something in the field.
    #[prop(into)]
    on_write: Callback<()>,
    /// When nothing is left in the field.
    #[prop(into)]
    on_clear: Callback<()>,
    on_send: Callback<String, Result<(), Problem>>,
) -> impl IntoView {
    let problem = RwSignal::new(String::new());
    let field = NodeRef::<html::Textarea>::new();
    let label = format!("Message to {room}");

    let left = move || TEXT_CHARS_MAX as i64 - text.read().trim().chars().count() as i64;
    let cannot_send = move || left() < 0 || left() == TEXT_CHARS_MAX as i64;
    let write = move |written: String| {
        text.set(written);
        problem.set(String::new());
        match text.read_untracked().trim().is_empty() {
            true => on_clear.run(()),
            false => on_write.run(()),
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let is_composing = event.is_composing() || event.key_code() == KEY_CODE_COMPOSING;
        if event.key() != "Enter" || event.shift_key() || is_composing {
            return;
        }
        event.prevent_default();
        let form = field.get_untracked().and_then(|field| field.form());
        form.iter().for_each(|form| drop(form.request_submit()));
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        field.get_untracked().iter().for_each(|field| drop(field.focus()));
        // Empty or too long: what is wrong with it can be seen already.
        let Ok(line) = MessageText::parse(&text.read_untracked()) else { return };
        match on_send.run(line.into()) {
            Ok(()) => write(String::new()),
            Err(refusal) => problem.set(refusal.detail),
        }
    };
    view! {
        <form class="composer" on:submit=submit>
            <div class="composer-field" data-text=text>
                <textarea
                    id=COMPOSER node_ref=field rows="1" placeholder=label.clone() aria-label=label
                    aria-describedby="composer-hint composer-problem" enterkeyhint="send"
                    prop:value=text on:input=move |event| write(event_target_value(&event)) on:keydown=on_key
                ></textarea>
            </div>
            <button id="send" class="send" aria-disabled=live(move || cannot_send().then_some("true"))>
                <Icon of=IconOf::Send/><span class="visually-hidden">"Send"</span>
            </button>
            <p id="composer-hint" class="visually-hidden">"Enter sends, Shift and Enter begin a new line."</p>
            <p id="composer-problem" class="field-problem" role="alert">{problem}</p>
            <p class="composer-left" role="status" class:over=move || left() < 0>
                {live(move || room_left(left()))}
            </p>
        </form>
    }
}

fn room_left(left: i64) -> String {
    match left {
        left if left < 0 => format!("{} too many", characters(-left)),
        left if left <= NEAR_THE_END => format!("{} left", characters(left)),
        _ => String::new(),
    }
}

fn characters(count: i64) -> String {
    if count == 1 { "1 character".into() } else { format!("{count} characters") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_that_is_left_is_told_near_the_end_only() {
        assert_eq!(room_left(201), "");
        assert_eq!(room_left(200), "200 characters left");
        assert_eq!(room_left(-1), "1 character too many");
    }
}
