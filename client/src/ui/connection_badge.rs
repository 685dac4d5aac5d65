//! `ConnectionBadge`: how the connection is doing, why, and a way to hurry it.

use std::time::Duration;

use leptos::prelude::*;
use shared::{Millis, Status};

use super::{pass_focus_on, reactive};
use crate::browser;

/// The button that says the status.
const STATE: &str = "connection-state";

/// Tells the status in a word, and in a sentence when it is pressed. The countdown is not read aloud, the change of
/// status is.
#[component]
pub fn ConnectionBadge(
    /// What to tell.
    status: ReadSignal<Status>,
    /// True if the server has no socket to spare.
    is_full: ReadSignal<bool>,
    /// Called by "Retry now".
    #[prop(into)]
    on_reconnect: Callback<()>,
) -> impl IntoView {
    let now = RwSignal::new(browser::now_ms());
    Effect::new(reactive(move || {
        if !matches!(status.get(), Status::Waiting { .. }) {
            return;
        }
        now.set(browser::now_ms());
        let tick = set_interval_with_handle(move || now.set(browser::now_ms()), Duration::from_millis(250));
        on_cleanup(move || tick.iter().for_each(|tick| tick.clear()));
    }));
    let countdown = reactive(move || match status.get() {
        Status::Waiting { until } => format!(" in {} s", seconds_left(until, now.get())),
        _ => String::new(),
    });
    // A wait that goes on with another deadline is the same status.
    let told = Memo::new(move |_| {
        (name(status.get()), label(status.get()), explanation(status.get(), is_full.get()))
    });
    let is_lost = |status| matches!(status, Status::Waiting { .. } | Status::Offline | Status::Refused);
    let can_hurry = Memo::new(move |_| is_lost(status.get()));
    let reconnect = move |_| on_reconnect.run(());
    let hurry = reactive(move || {
        if !can_hurry.get() {
            return ().into_any();
        }
        pass_focus_on("#reconnect-now", || STATE);
        view! {
            <button id="reconnect-now" type="button" class="link-button" on:click=reconnect>"Retry now"</button>
        }
        .into_any()
    });
    view! {
        <div id="connection" class="badge" data-status=reactive(move || told.get().0)>
            <button
                id=STATE class="badge-state" type="button" popovertarget="connection-why"
                title=reactive(move || told.get().2)
            >
                <span class="badge-dot" aria-hidden="true"></span>
                <span class="badge-label">
                    {reactive(move || told.get().1)} <span class="badge-countdown" aria-hidden="true">{countdown}</span>
                </span>
            </button>
            {hurry}
            <p id="connection-why" class="menu badge-why" popover="auto">{reactive(move || told.get().2)}</p>
            <span class="visually-hidden" role="status">{reactive(move || told.get().1)}</span>
        </div>
    }
}

/// What style sheets and tests know the status by.
fn name(status: Status) -> &'static str {
    match status {
        Status::Stopped => "stopped",
        Status::Connecting => "connecting",
        Status::Connected => "connected",
        Status::Polling => "polling",
        Status::Waiting { .. } => "waiting",
        Status::Offline => "offline",
        Status::SignedOut => "signed-out",
        Status::Refused => "refused",
    }
}

fn label(status: Status) -> &'static str {
    match status {
        Status::Stopped => "Not signed in",
        Status::Connecting => "Connecting",
        Status::Connected => "Connected",
        Status::Polling => "Connected (slow path)",
        Status::Waiting { .. } => "Reconnecting",
        Status::Offline => "Offline",
        Status::SignedOut => "Signed out",
        Status::Refused => "Disconnected",
    }
}

/// The sentence behind the label: who is to blame, what happens by itself, and what becomes of what is written.
fn explanation(status: Status, is_full: bool) -> &'static str {
    match status {
        Status::Stopped | Status::SignedOut => "Enter a name to continue.",
        Status::Connecting => "Connecting to the server. Nothing you write is lost.",
        Status::Connected => "What you write is sent at once, and what others write appears here.",
        Status::Polling if is_full => {
            "The server has no live connection to spare, so updates arrive by polling. Nothing gets lost."
        }
        Status::Polling => "Your network blocks WebSockets, so updates arrive by polling. Nothing gets lost.",
        Status::Waiting { .. } => {
            "Can't reach the server. It will be tried again by itself; nothing you write is lost."
        }
        Status::Offline => {
            "Your device is offline. The connection comes back by itself; nothing you write is lost."
        }
        Status::Refused => "The server ended the connection. Retry now, or reload the page.",
    }
}

/// Counts down to 1, never to 0: then it is "connecting".
fn seconds_left(until: Millis, now: Millis) -> Millis {
    ((until - now + 999) / 1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_countdown_rounds_up_and_ends_at_one() {
        assert_eq!(seconds_left(5_000, 0), 5);
        assert_eq!(seconds_left(5_000, 4_001), 1);
        assert_eq!(seconds_left(5_000, 9_000), 1);
    }
}
