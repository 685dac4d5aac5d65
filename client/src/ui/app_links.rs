//! `AppLinks`: the links on the first screens, and the app in one sentence.

use leptos::prelude::*;
use shared::endpoint;

/// The URL of the source: `repository` in the client's Cargo.toml, empty if that names none.
const SOURCE: &str = env!("CARGO_PKG_REPOSITORY");

/// The app in one sentence, for new users. `client/index.html` shows it while the client loads.
pub const TAGLINE: &str = "Duplex is a realtime app: what one person does, everyone else sees at once, whatever happens in between.";

/// Links to a second window, to the API documentation and to the source.
#[component]
pub fn AppLinks(
    /// The path of the link to a second window.
    #[prop(into)]
    second_window: String,
) -> impl IntoView {
    let source = match SOURCE {
        "" => view! { <span>"Source code: client/src in your clone"</span> }.into_any(),
        address => view! { <a href=address target="_blank" rel="noopener">"Source code"</a> }.into_any(),
    };
    view! {
        <div class="about">
            <p>
                <a id="second-window" href=second_window target="_blank" rel="noopener">"Open a second window"</a>
                <span>" · In a private window you can join as someone else."</span>
            </p>
            <p>
                <a href=endpoint::OPENAPI target="_blank" rel="noopener">"OpenAPI document"</a> " · " {source}
            </p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loading_screen_shows_the_same_tagline() {
        assert!(include_str!("../../index.html").contains(TAGLINE));
    }
}
