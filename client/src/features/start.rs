//! `Start`: what stands at `/` until a feature claims it.

use leptos::prelude::*;

use super::Feature;
use crate::ui::Heading;

/// Claims the start page only.
pub(super) const FEATURE: Feature =
    Feature { claims: |path| path == "/", view: || view! { <Start/> }.into_any() };

/// Says what to do first.
#[component]
fn Start() -> impl IntoView {
    view! {
        <section class="panel">
            <Heading text="Add your first feature"/>
            <p class="lead">
                "You are signed in and connected: the house stands, and nobody lives in it yet."
            </p>
            <ol class="steps">
                <li>
                    "Say what happens in it: a " <code>"TopicKind"</code> " in "
                    <code>"shared/src/features"</code> "."
                </li>
                <li>"Let it be published: a route in " <code>"server/src/features"</code> "."</li>
                <li>
                    "Show it: a folder in " <code>"client/src/features"</code> " that calls "
                    <code>"use_topic"</code> ", and two lines in its " <code>"mod.rs"</code> "."
                </li>
            </ol>
            <p class="hint">"The README walks through all three."</p>
        </section>
    }
}
