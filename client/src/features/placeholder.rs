//! `Placeholder`: what stands at `/` until a feature claims it.

use leptos::prelude::*;

use super::Feature;
use crate::ui::{AppLinks, Heading};

/// Claims the start page only.
pub(super) const FEATURE: Feature =
    Feature { claims: |path| path == "/", view: || view! { <Placeholder/> }.into_any(), home: None };

/// Says what to do first.
#[component]
fn Placeholder() -> impl IntoView {
    view! {
        <section class="panel">
            <Heading text="Add your first feature"/>
            <p class="lead">"You're signed in and connected. Nothing is built on it yet."</p>
            <ol class="steps">
                <li>
                    "Describe its events: a " <code>"TopicKind"</code> " in "
                    <code>"shared/src/features"</code> "."
                </li>
                <li>"Publish them: a route in " <code>"server/src/features"</code> "."</li>
                <li>
                    "Show them: a folder in " <code>"client/src/features"</code> " that calls "
                    <code>"use_topic"</code> ", and two lines in its " <code>"mod.rs"</code> "."
                </li>
            </ol>
            <p class="hint">"The README walks through all three."</p>
            <AppLinks second_window="/"/>
        </section>
    }
}
