//! `NewVersion`: the offer to reload when the node serves another build of the client. Nobody is forced to.

use leptos::prelude::*;

use super::focus::{pass_focus_on, use_skip_link};
use super::reactive::reactive;
use crate::realtime::use_realtime;

/// Offers a reload while the node serves another build. A client without the name of its build, as in development,
/// never does.
#[component]
pub fn NewVersion() -> impl IntoView {
    let served = use_realtime().served_build();
    let own = own_build();
    let is_old = Memo::new(move |_| served.with(|served| differ(own.as_deref(), served.as_deref())));
    let skip_link = use_skip_link();
    let offer = reactive(move || {
        is_old.get().then(|| {
            pass_focus_on("#new-version", move || skip_link.target());
            view! {
                <div id="new-version" class="bar">
                    <p>"New version available. Your drafts are kept."</p>
                    <button class="link-button" type="button" on:click=|_| drop(window().location().reload())>
                        "Reload"
                    </button>
                </div>
            }
        })
    });
    view! { <div class="new-version" role="status">{offer}</div> }
}

fn own_build() -> Option<String> {
    document().query_selector("meta[name='duplex-build']").ok()??.get_attribute("content")
}

/// True if both builds are known and differ. A placeholder that no server has replaced is no name of a build.
fn differ(own: Option<&str>, served: Option<&str>) -> bool {
    let own = own.filter(|own| !own.is_empty() && !own.starts_with("__"));
    own.zip(served).is_some_and(|(own, served)| own != served)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_known_builds_can_differ() {
        assert!(differ(Some("a1"), Some("b2")));
        assert!(!differ(Some("a1"), Some("a1")));
        assert!(!differ(Some("a1"), None));
        for unnamed in [None, Some(""), Some("__DUPLEX_BUILD__")] {
            assert!(!differ(unnamed, Some("b2")));
        }
    }
}
