//! `WelcomePanel`: the first page of a newcomer. One Enter leads on.

use leptos::prelude::*;

use super::name_form::NameForm;
use super::name_suggestion::suggest_name;
use crate::browser;
use crate::ui::{APP_NAME, AppLinks, Heading, Logo, TAGLINE};

/// Asks a person for a name. Whatever address they came for is shown once they have one.
#[component]
pub fn WelcomePanel(
    /// The path that a second window opens.
    second_window: String,
    /// After the name was taken.
    #[prop(into)]
    on_done: Callback<String>,
) -> impl IntoView {
    let name = suggest_name(browser::random());
    view! {
        <section class="panel naming">
            <Logo/>
            <Heading text=format!("Welcome to {APP_NAME}")/>
            <p class="lead">{TAGLINE}</p>
            <NameForm label="What's your name?" name action="Continue" on_done/>
            <p class="hint">"No password, no email. This browser remembers you."</p>
            <AppLinks second_window/>
        </section>
    }
}
