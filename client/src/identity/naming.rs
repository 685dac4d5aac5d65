//! `Naming`: the first thing a new person sees.

use leptos::prelude::*;

use super::name_form::NameForm;
use crate::ui::{APP_NAME, Heading, Logo};

/// Asks a person for a name. Whatever address they came for is shown once they have one.
#[component]
pub fn Naming() -> impl IntoView {
    view! {
        <section class="panel naming">
            <Logo/>
            <Heading text=format!("Welcome to {APP_NAME}")/>
            <p class="lead">"What shall the others call you?"</p>
            <NameForm name="" action="Continue" on_done=|()| ()/>
            <p class="hint">
                "It is only a display name: no password, no e-mail address, and you can change it at any \
                 time. This browser remembers you."
            </p>
        </section>
    }
}
