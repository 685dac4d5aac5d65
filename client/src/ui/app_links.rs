//! `AppLinks`: one sentence about the app, and the ways from its first pages to everything around it.

use leptos::prelude::*;
use shared::endpoint;

/// Address of the source: `repository` in the client's Cargo.toml, empty when that names none.
const SOURCE: &str = env!("CARGO_PKG_REPOSITORY");

/// The app in one sentence, for somebody who has never seen it. `client/index.html` says it while the page loads.
pub const TAGLINE: &str = "Duplex is a realtime app: what one person does, everyone else sees at once, whatever happens in between.";

/// Links to a second window, to the documents of the contract and to the source.
#[component]
pub fn AppLinks(
    /// The path that the second window opens.
    #[prop(into)]
    second_window: String,
) -> impl IntoView {
    let source = match SOURCE {
        "" => view! { <span>"Its source is client/src in your clone."</span> }.into_any(),
        address => view! { <a href=address target="_blank" rel="noopener">"Source code"</a> }.into_any(),
    };
    view! {
        <div class="about">
            <p>
                <a id="second-window" href=second_window target="_blank" rel="noopener">"Open a second window"</a>
                <span>" · In a private window you are a second person."</span>
            </p>
            <p>
                <a href=endpoint::DOCS target="_blank" rel="noopener">"API documents"</a> " · " {source}
            </p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_the_same_while_it_loads() {
        assert!(include_str!("../../index.html").contains(TAGLINE));
    }
}
