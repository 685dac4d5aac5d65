//! `Naming`: the first page of a newcomer. One Enter leads on.

use leptos::prelude::*;

use super::name_form::NameForm;
use super::suggestion::suggestion;
use crate::browser;
use crate::ui::{APP_NAME, About, Heading, Logo, PITCH};

/// Asks a person for a name. Whatever address they came for is shown once they have one.
#[component]
pub fn Naming(
    /// The path that a second window opens.
    second_window: String,
    /// After the name was taken.
    #[prop(into)]
    on_done: Callback<String>,
) -> impl IntoView {
    let name = suggestion(browser::random());
    view! {
        <section class="panel naming">
            <Logo/>
            <Heading text=format!("Welcome to {APP_NAME}")/>
            <p class="lead">{PITCH}</p>
            <NameForm label="What's your name?" name action="Continue" on_done/>
            <p class="hint">"No password, no email. This browser remembers you."</p>
            <About second_window/>
        </section>
    }
}
