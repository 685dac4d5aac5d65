//! `Notices`: short messages at the edge of the screen. A new one replaces the one that is shown.

use std::time::Duration;

use leptos::prelude::*;

use super::focus::{pass_focus_on, use_skip_link};
use super::reactive::reactive;

/// The time for which a notice that is no warning is shown.
const SHOWN_FOR: Duration = Duration::from_secs(6);

/// The notice in [`NoticeRegion`]. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Notices {
    shown: RwSignal<Option<VisibleNotice>>,
    count: StoredValue<u32>,
}

#[derive(Clone)]
struct VisibleNotice {
    number: u32,
    text: String,
    class: &'static str,
}

impl Notices {
    /// Creates the notices, none shown, and provides them to everything below the caller.
    pub fn provide() -> Notices {
        let notices = Notices { shown: RwSignal::new(None), count: StoredValue::new(0) };
        provide_context(notices);
        notices
    }

    /// Shows a notice that disappears by itself.
    pub fn inform(self, text: impl Into<String>) {
        let number = self.show(text.into(), "notice");
        let hide = move || {
            let is_shown =
                |notice: &Option<VisibleNotice>| notice.as_ref().is_some_and(|it| it.number == number);
            if self.shown.with_untracked(is_shown) {
                self.shown.set(None);
            }
        };
        set_timeout(hide, SHOWN_FOR);
    }

    /// Shows a warning that stays until it is dismissed.
    pub fn warn(self, text: impl Into<String>) {
        self.show(text.into(), "notice warning");
    }

    /// Removes the notice, because it is no longer true.
    pub fn clear(self) {
        self.shown.set(None);
    }

    fn show(self, text: String, class: &'static str) -> u32 {
        let number = self.count.get_value() + 1;
        self.count.set_value(number);
        self.shown.set(Some(VisibleNotice { number, text, class }));
        number
    }
}

/// Returns the [`Notices`] that the app provides.
pub fn use_notices() -> Notices {
    use_context().expect("the app provides it to every view")
}

/// The element that shows the notice. There is one in the app.
#[component]
pub fn NoticeRegion() -> impl IntoView {
    let shown = use_notices().shown;
    let skip_link = use_skip_link();
    let notice = reactive(move || {
        shown.get().map(|notice| {
            pass_focus_on(".notice", move || skip_link.target());
            view! {
                <div class=notice.class>
                    <p>{notice.text}</p>
                    <button type="button" class="link-button" on:click=move |_| shown.set(None)>"Dismiss"</button>
                </div>
            }
        })
    });
    view! { <div class="notices" role="status" aria-live="polite">{notice}</div> }
}
