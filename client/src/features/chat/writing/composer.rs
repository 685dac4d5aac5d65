//! `Composer`: the field in which a message is written. Enter sends, Shift+Enter begins a new line.
//!
//! It grows with its text: by `field-sizing` if the browser supports it, else by an invisible copy of the text that the
//! style sheet lays behind it. An Enter that ends the composition of a character (Chinese, Japanese, Korean) does not
//! send.

use leptos::{ev, html, prelude::*};
use shared::Problem;
use shared::features::chat::MessageText;
use web_sys::css;

use super::length::Length;
use crate::realtime::use_realtime;
use crate::ui::{Icon, focus_on, has_fine_pointer, icons, reactive, use_skip_link};

/// The id of the field.
pub const COMPOSER: &str = "composer";
/// The number of characters left from which on it is shown.
const SHOWN_LEFT_MAX: usize = 200;
/// The longest text with a copy behind it. For a longer one the field has its full height and scrolls.
const COPIED_BYTES_MAX: usize = 10_000;
/// The key code of keys that belong to a composition, in browsers that do not set `isComposing`.
const KEY_CODE_COMPOSING: u32 = 229;

/// The form for a message to one room. The field takes the focus, except on devices where that opens an on-screen
/// keyboard.
#[component]
pub fn Composer(
    room: String,
    /// The text in the field.
    text: RwSignal<String>,
    /// Called on every change that leaves text in the field.
    #[prop(into)]
    on_write: Callback<()>,
    /// Called when the field becomes empty.
    #[prop(into)]
    on_clear: Callback<()>,
    /// Called with the trimmed text. If it fails, the text stays in the field.
    on_send: Callback<String, Result<(), Problem>>,
) -> impl IntoView {
    let realtime = use_realtime();
    let problem = RwSignal::new(String::new());
    let field = NodeRef::<html::Textarea>::new();
    let label = format!("Message #{room}");
    use_skip_link().lead_to(COMPOSER, "Skip to message field");
    if has_fine_pointer() {
        focus_on(COMPOSER);
    }

    let length = Memo::new(move |_| Length::of(&text.read(), realtime.payload_bytes_max() as usize));
    // A full outbox may have room again once its posts are sent.
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
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            let _ = field.focus();
        }
        // If the text is empty or too long, the form shows that already.
        if !length.get_untracked().fits() {
            return;
        }
        let Ok(message) = MessageText::parse(&text.read_untracked()) else { return };
        match on_send.run(message.into()) {
            Ok(()) => write(String::new()),
            // A limit of this client, with a detail that is written for users.
            Err(refusal) => problem.set(refusal.detail),
        }
    };
    view! {
        <form class="composer" on:submit=submit>
            {growing_field(field, label, text, write)}
            <button id="send" class="send" aria-disabled=reactive(move || (!length.get().fits()).then_some("true"))>
                <Icon path=icons::SEND/><span class="visually-hidden">"Send"</span>
            </button>
            <p id="composer-hint" class="visually-hidden">"Press Enter to send, Shift+Enter for a new line."</p>
            <p id="composer-problem" class="field-problem" role="alert">{problem}</p>
            <LengthHint length/>
        </form>
    }
}

/// The field, which grows with its text. `on_input` is called with the text on every change.
fn growing_field(
    field: NodeRef<html::Textarea>,
    label: String,
    text: RwSignal<String>,
    on_input: impl Fn(String) + 'static,
) -> impl IntoView {
    let on_key = move |event: ev::KeyboardEvent| {
        if !is_to_send(&event) {
            return;
        }
        event.prevent_default();
        if let Some(form) = field.get_untracked().and_then(|field| field.form()) {
            let _ = form.request_submit();
        }
    };
    let is_long = move || text.read().len() > COPIED_BYTES_MAX;
    // With a copy, the browser would lay the room out twice for every key.
    let grows_by_itself = css::supports("(field-sizing: content)").unwrap_or(false);
    let copy = reactive(move || if grows_by_itself || is_long() { String::new() } else { text.get() });
    view! {
        <div class="composer-field" class:long=reactive(is_long) data-text=copy>
            <textarea
                id=COMPOSER node_ref=field rows="1" placeholder=label.clone() aria-label=label
                aria-describedby="composer-hint composer-problem" enterkeyhint="send"
                prop:value=text on:input=move |event| on_input(event_target_value(&event)) on:keydown=on_key
            ></textarea>
        </div>
    }
}

/// True for an Enter without Shift that does not end the composition of a character.
fn is_to_send(event: &ev::KeyboardEvent) -> bool {
    let is_composing = event.is_composing() || event.key_code() == KEY_CODE_COMPOSING;
    event.key() == "Enter" && !event.shift_key() && !is_composing
}

/// The number of characters that are left or too many.
#[component]
fn LengthHint(length: Memo<Length>) -> impl IntoView {
    let is_over = reactive(move || matches!(length.get(), Length::Over(_)));
    view! {
        <p class="composer-left" role="status" class:over=is_over>{reactive(move || length_text(length.get()))}</p>
    }
}

fn length_text(length: Length) -> String {
    match length {
        Length::Over(over) => format!("{} too many", characters(over)),
        Length::Fits(left) if left <= SHOWN_LEFT_MAX => format!("{} left", characters(left)),
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
    fn the_characters_left_are_shown_only_near_the_limit() {
        assert_eq!(length_text(Length::Empty), "");
        assert_eq!(length_text(Length::Fits(201)), "");
        assert_eq!(length_text(Length::Fits(200)), "200 characters left");
        assert_eq!(length_text(Length::Over(1)), "1 character too many");
    }
}
