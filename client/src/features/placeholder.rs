//! `Placeholder`: the start screen of a project that has no feature yet.

use leptos::prelude::*;

use super::Feature;
use crate::ui::{AppLinks, Heading};

/// Claims `/` only.
pub(super) const FEATURE: Feature =
    Feature { claims: |path| path == "/", view: || view! { <Placeholder/> }.into_any(), home: None };

/// Explains how to add the first feature.
#[component]
fn Placeholder() -> impl IntoView {
    view! {
        <section class="panel">
            <Heading text="Add your first feature"/>
            <p class="lead">"You're signed in and connected, and there's nothing here yet."</p>
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
