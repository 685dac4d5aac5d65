//! `Notices`: a short word about what just happened, at the edge of the screen. The latest one counts.

use std::time::Duration;

use leptos::prelude::*;

use super::{pass_focus_on, reactive, use_skip_link};

/// How long one stays that needs no answer.
const SHOWN: Duration = Duration::from_secs(6);

/// Speaks through [`NoticeRegion`]. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Notices {
    shown: RwSignal<Option<Notice>>,
    count: StoredValue<u32>,
}

#[derive(Clone)]
struct Notice {
    number: u32,
    text: String,
    class: &'static str,
}

impl Notices {
    /// Makes it and hands it to everything below the caller.
    pub fn provide() -> Notices {
        let notices = Notices { shown: RwSignal::new(None), count: StoredValue::new(0) };
        provide_context(notices);
        notices
    }

    /// Something went as it should; goes away by itself.
    pub fn tell(self, text: impl Into<String>) {
        let number = self.show(text.into(), "notice");
        let is_still_shown =
            move || self.shown.with_untracked(|notice| notice.as_ref().is_some_and(|it| it.number == number));
        set_timeout(
            move || {
                if is_still_shown() {
                    self.shown.set(None)
                }
            },
            SHOWN,
        );
    }

    /// Something went wrong; stays until it is dismissed.
    pub fn warn(self, text: impl Into<String>) {
        self.show(text.into(), "notice warning");
    }

    /// Takes back what was said, since it is so no longer.
    pub fn clear(self) {
        self.shown.set(None);
    }

    fn show(self, text: String, class: &'static str) -> u32 {
        let number = self.count.get_value() + 1;
        self.count.set_value(number);
        self.shown.set(Some(Notice { number, text, class }));
        number
    }
}

/// The [`Notices`] that the app provides.
pub fn use_notices() -> Notices {
    use_context().expect("the app provides it to every page")
}

/// Shows the notice; one a page.
#[component]
pub fn NoticeRegion() -> impl IntoView {
    let (shown, skip_link) = (use_notices().shown, use_skip_link());
    let notice = reactive(move || {
        let Some(notice) = shown.get() else { return ().into_any() };
        pass_focus_on(".notice", move || skip_link.target());
        view! {
            <div class=notice.class>
                <p>{notice.text}</p>
                <button type="button" class="link-button" on:click=move |_| shown.set(None)>"Dismiss"</button>
            </div>
        }
        .into_any()
    });
    view! { <div class="notices" role="status" aria-live="polite">{notice}</div> }
}
