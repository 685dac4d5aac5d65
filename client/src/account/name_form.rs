//! `NameForm`: the form that takes the first name and every later one.

use leptos::task::spawn_local;
use leptos::{ev, html, prelude::*};
use shared::{DisplayName, ErrorCode, Millis, Problem};

use super::current::use_account;
use crate::ui::{focus_on, problem_text, reactive};

/// The id of the field.
const FIELD: &str = "display-name";

/// Asks for a name and takes it. The rules of a name are checked before the server is asked.
#[component]
pub fn NameForm(
    /// The label above the field.
    label: &'static str,
    /// The initial text of the field, which is selected.
    name: String,
    /// The label of the button.
    action: &'static str,
    /// Called with the name after it was taken.
    #[prop(into)]
    on_done: Callback<String>,
) -> impl IntoView {
    let account = use_account();
    let field = NodeRef::<html::Input>::new();
    let is_busy = RwSignal::new(false);
    let problem = RwSignal::new(String::new());
    // A user whose sign-in ended while typing a message must not go on typing into the name.
    if !account.ended_by_itself() {
        focus_on(FIELD);
    }

    // The name stays in the field, whatever the problem.
    let refuse = move |text: String| {
        problem.set(text);
        focus_on(FIELD);
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked().filter(|_| !is_busy.get_untracked()) else { return };
        let name = match checked_name(&field.value()) {
            Ok(name) => name,
            Err(problem) => return refuse(problem),
        };
        is_busy.set(true);
        problem.set(String::new());
        spawn_local(async move {
            let taken = account.take_name(name.clone()).await;
            is_busy.try_set(false);
            match taken {
                Ok(()) => on_done.run(name),
                Err(problem) => refuse(refusal_text(&problem)),
            }
        });
    };
    view! {
        <form class="name-form" on:submit=submit novalidate>
            <label for=FIELD>{label}</label>
            <div class="field-row">
                <input
                    id=FIELD class="field" node_ref=field type="text" value=name
                    autocomplete="nickname" aria-describedby="name-problem name-hint"
                    aria-invalid=reactive(move || (!problem.read().is_empty()).then_some("true"))
                />
                <button id="name-submit" class="button" aria-disabled=reactive(move || is_busy.get().then_some("true"))>
                    {action}
                </button>
            </div>
            <p id="name-problem" class="field-problem" role="alert">{problem}</p>
            <p id="name-hint" class="hint">"Shown to others. You can change it later."</p>
        </form>
    }
}

/// Checks a typed name. The error is a sentence for the user.
fn checked_name(typed: &str) -> Result<String, String> {
    let name = DisplayName::parse(typed).map_err(|rule| format!("A name {rule}."))?;
    if are_cookies_blocked() {
        return Err("Your browser blocks cookies. Allow them for this site, then try again.".into());
    }
    Ok(name.to_string())
}

/// The text about a name that the server refused.
fn refusal_text(problem: &Problem) -> String {
    match (problem.code, problem.retry_after_ms) {
        (ErrorCode::TooMany, Some(millis)) => {
            format!("Too many new names from your network. Try again in {}.", duration_text(millis as Millis))
        }
        _ => problem_text(problem),
    }
}

/// Formats a duration as "8 seconds" or "2 minutes", rounded up.
fn duration_text(millis: Millis) -> String {
    let seconds = ((millis + 999) / 1_000).max(1);
    let (count, unit) = if seconds < 100 { (seconds, "second") } else { ((seconds + 59) / 60, "minute") };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// True if the browser stores no cookie of this origin, so that signing in would have no effect.
fn are_cookies_blocked() -> bool {
    let navigator = js_sys::Reflect::get(&window(), &"navigator".into());
    let is_enabled = navigator.and_then(|it| js_sys::Reflect::get(&it, &"cookieEnabled".into()));
    is_enabled.is_ok_and(|is_enabled| is_enabled == false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_says_when_to_try_again() {
        let problem = Problem::new(ErrorCode::TooMany, "too many new accounts").retry_after_ms(7_001);
        assert_eq!(refusal_text(&problem), "Too many new names from your network. Try again in 8 seconds.");
    }

    #[test]
    fn a_duration_is_in_the_unit_that_fits_and_is_rounded_up() {
        for (millis, words) in [
            (0, "1 second"),
            (1_000, "1 second"),
            (1_001, "2 seconds"),
            (99_000, "99 seconds"),
            (120_001, "3 minutes"),
        ] {
            assert_eq!(duration_text(millis), words);
        }
    }
}
