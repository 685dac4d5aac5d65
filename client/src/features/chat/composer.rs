//! `Composer`: where a message is written. Enter sends, Shift+Enter begins a new line.
//!
//! It grows with its text: by itself where the browser knows `field-sizing`, else by an invisible copy of the text that
//! the style sheet lays behind it. An Enter that ends the composition of a character (Chinese, Japanese, Korean) is
//! not one that sends.

use leptos::prelude::*;
use leptos::{ev, html};
use shared::Problem;
use shared::features::chat::MessageText;
use web_sys::css;

use super::length::Length;
use crate::realtime::use_realtime;
use crate::ui::{Icon, IconName, focus_on, has_fine_pointer, reactive, use_skip_link};

/// Id of the field.
pub(super) const COMPOSER: &str = "composer";
/// From here on it is told how much room is left.
const NEAR_THE_END: usize = 200;
/// A longer text has no copy behind it: the field is as high as it can be, and scrolls.
const COPIED_BYTES_MAX: usize = 10_000;
/// What the browser gives for keys that belong to a composition, where it does not say so otherwise.
const KEY_CODE_COMPOSING: u32 = 229;

/// Writes to one room. `on_send` gets the trimmed text; when it fails, the text stays where it is. The field takes
/// the focus on visit, except where that brings up a keyboard on the screen.
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
    let (realtime, problem) = (use_realtime(), RwSignal::new(String::new()));
    let field = NodeRef::<html::Textarea>::new();
    let label = format!("Message #{room}");
    use_skip_link().lead_to(COMPOSER, "Skip to the message field");
    if has_fine_pointer() {
        focus_on(COMPOSER);
    }

    let length = Memo::new(move |_| Length::of(&text.read(), realtime.payload_bytes_max() as usize));
    // Once some of what waits is sent, there may be room for this.
    Effect::new(reactive(move || {
        realtime.unsent();
        problem.set(String::new());
    }));
    let write = move |written: String| {
        text.set(written);
        problem.set(String::new());
        match length.get_untracked() {
            Length::Empty => on_clear.run(()),
            _ => on_write.run(()),
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if is_to_send(&event) {
            event.prevent_default();
            let form = field.get_untracked().and_then(|field| field.form());
            form.iter().for_each(|form| drop(form.request_submit()));
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        field.get_untracked().iter().for_each(|field| drop(field.focus()));
        // Empty or too long: what is wrong with it can be seen already.
        if !length.get_untracked().fits() {
            return;
        }
        let Ok(line) = MessageText::parse(&text.read_untracked()) else { return };
        match on_send.run(line.into()) {
            Ok(()) => write(String::new()),
            // Nothing was asked of the server yet: the page itself refuses, in words for people.
            Err(refusal) => problem.set(refusal.detail),
        }
    };
    let is_long = move || text.read().len() > COPIED_BYTES_MAX;
    // A copy would have the room laid out a second time with every key.
    let grows_by_itself = css::supports("(field-sizing: content)").unwrap_or(false);
    let copy = reactive(move || if grows_by_itself || is_long() { String::new() } else { text.get() });
    view! {
        <form class="composer" on:submit=submit>
            <div class="composer-field" class:long=reactive(is_long) data-text=copy>
                <textarea
                    id=COMPOSER node_ref=field rows="1" placeholder=label.clone() aria-label=label
                    aria-describedby="composer-hint composer-problem" enterkeyhint="send"
                    prop:value=text on:input=move |event| write(event_target_value(&event)) on:keydown=on_key
                ></textarea>
            </div>
            <button id="send" class="send" aria-disabled=reactive(move || (!length.get().fits()).then_some("true"))>
                <Icon name=IconName::Send/><span class="visually-hidden">"Send"</span>
            </button>
            <p id="composer-hint" class="visually-hidden">"Enter sends, Shift and Enter begin a new line."</p>
            <p id="composer-problem" class="field-problem" role="alert">{problem}</p>
            <LengthHint length/>
        </form>
    }
}

/// True if the key is an Enter that sends: by itself, and not to end the composition of a character.
fn is_to_send(event: &ev::KeyboardEvent) -> bool {
    let is_composing = event.is_composing() || event.key_code() == KEY_CODE_COMPOSING;
    event.key() == "Enter" && !event.shift_key() && !is_composing
}

/// Tells how many characters are left, or too many.
#[component]
fn LengthHint(length: Memo<Length>) -> impl IntoView {
    let is_over = reactive(move || matches!(length.get(), Length::Over(_)));
    view! {
        <p class="composer-left" role="status" class:over=is_over>{reactive(move || in_words(length.get()))}</p>
    }
}

fn in_words(length: Length) -> String {
    match length {
        Length::Over(over) => format!("{} too many", characters(over)),
        Length::Fits(left) if left <= NEAR_THE_END => format!("{} left", characters(left)),
        Length::Fits(_) | Length::Empty => String::new(),
    }
}

fn characters(count: usize) -> String {
    if count == 1 { "1 character".into() } else { format!("{count} characters") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_that_is_left_is_told_near_the_end_only() {
        assert_eq!(in_words(Length::Empty), "");
        assert_eq!(in_words(Length::Fits(201)), "");
        assert_eq!(in_words(Length::Fits(200)), "200 characters left");
        assert_eq!(in_words(Length::Over(1)), "1 character too many");
    }
}
