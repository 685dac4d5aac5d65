//! `NameForm`: one field, one button. The first name and every other one are taken with it.

use leptos::task::spawn_local;
use leptos::{ev, html, prelude::*};
use shared::DisplayName;

use super::use_me;
use crate::ui::live;

/// Asks for a name and takes it. The rule is checked here before the server does.
#[component]
pub fn NameForm(
    /// What is in the field at first.
    #[prop(into)]
    name: String,
    /// What the button says.
    action: &'static str,
    /// After the name was taken.
    #[prop(into)]
    on_done: Callback<()>,
) -> impl IntoView {
    let me = use_me();
    let field = NodeRef::<html::Input>::new();
    let (is_busy, problem) = (RwSignal::new(false), RwSignal::new(String::new()));
    field.on_load(|field| request_animation_frame(move || field.select()));

    let refuse = move |text: String| {
        problem.set(text);
        field.get_untracked().iter().for_each(|field| drop(field.focus()));
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked().filter(|_| !is_busy.get_untracked()) else { return };
        let name = match DisplayName::parse(&field.value()) {
            Ok(name) => name.to_string(),
            Err(rule) => return refuse(format!("A name {rule}.")),
        };
        is_busy.set(true);
        problem.set(String::new());
        spawn_local(async move {
            let taken = me.take_name(name).await;
            is_busy.try_set(false);
            match taken {
                Ok(()) => on_done.run(()),
                Err(problem) => refuse(problem.detail),
            }
        });
    };
    view! {
        <form class="name-form" on:submit=submit novalidate>
            <label for="display-name">"Your name"</label>
            <div class="field-row">
                <input
                    id="display-name" class="field" node_ref=field type="text" value=name
                    autocomplete="nickname" aria-describedby="name-problem"
                    aria-invalid=live(move || (!problem.read().is_empty()).then_some("true"))
                />
                <button id="name-submit" class="button" aria-disabled=live(move || is_busy.get().then_some("true"))>
                    {action}
                </button>
            </div>
            <p id="name-problem" class="field-problem" role="alert">{problem}</p>
        </form>
    }
}
