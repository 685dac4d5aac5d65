//! `WelcomePanel`: the first screen of a new user. Enter accepts the suggested name.

use leptos::prelude::*;

use super::name_form::NameForm;
use super::name_suggestion::suggest_name;
use crate::ui::{APP_NAME, AppLinks, Heading, Logo, TAGLINE};

/// Asks a new user for a name.
#[component]
pub fn WelcomePanel(
    /// The path of the link to a second window.
    second_window: String,
    /// Called after the name was taken.
    #[prop(into)]
    on_done: Callback<String>,
) -> impl IntoView {
    let name = suggest_name(js_sys::Math::random());
    view! {
        <section class="panel naming">
            <Logo/>
            <Heading text=format!("Welcome to {APP_NAME}")/>
            <p class="lead">{TAGLINE}</p>
            <NameForm label="Choose a display name" name action="Continue" on_done/>
            <p class="hint">"No password, no email. This browser remembers you."</p>
            <AppLinks second_window/>
        </section>
    }
}
