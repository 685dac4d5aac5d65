//! `ConnectionBadge`: the status of the connection, its explanation, and a button to retry.

use std::time::Duration;

use leptos::prelude::*;
use shared::{Millis, Status};

use super::focus::pass_focus_on;
use super::reactive::reactive;
use crate::browser;
use crate::realtime::use_realtime;

/// The id of the button that shows the status.
const STATE: &str = "connection-state";

/// Shows the status in a word, and explains it when pressed. Screen readers announce a change of status, but not the
/// countdown.
#[component]
pub fn ConnectionBadge() -> impl IntoView {
    let realtime = use_realtime();
    let status = realtime.status();
    let is_full = realtime.is_full();
    let now = RwSignal::new(browser::now_ms());
    Effect::new(reactive(move || {
        if !matches!(status.get(), Status::Waiting { .. }) {
            return;
        }
        now.set(browser::now_ms());
        browser::repeat(Duration::from_millis(250), move || now.set(browser::now_ms()));
    }));
    let countdown = reactive(move || match status.get() {
        Status::Waiting { until } => format!(" in {} s", seconds_left(until, now.get())),
        _ => String::new(),
    });
    // Another deadline of the same wait is no change of status.
    let shown = Memo::new(move |_| {
        (name(status.get()), label(status.get()), explanation(status.get(), is_full.get()))
    });
    let can_retry = Memo::new(move |_| {
        matches!(status.get(), Status::Waiting { .. } | Status::Offline | Status::Refused)
    });
    let reconnect = move |_| realtime.reconnect_now();
    let retry = reactive(move || {
        can_retry.get().then(|| {
            pass_focus_on("#reconnect-now", || STATE);
            view! {
                <button id="reconnect-now" type="button" class="link-button" on:click=reconnect>"Retry now"</button>
            }
        })
    });
    view! {
        <div id="connection" class="badge" data-status=reactive(move || shown.get().0)>
            <button
                id=STATE class="badge-state" type="button" popovertarget="connection-why"
                title=reactive(move || shown.get().2)
            >
                <span class="badge-dot" aria-hidden="true"></span>
                <span class="badge-label">
                    {reactive(move || shown.get().1)} <span class="badge-countdown" aria-hidden="true">{countdown}</span>
                </span>
            </button>
            {retry}
            <p id="connection-why" class="menu badge-why" popover="auto">{reactive(move || shown.get().2)}</p>
            <span class="visually-hidden" role="status">{reactive(move || shown.get().1)}</span>
        </div>
    }
}

/// The name of the status in `data-status`, for style sheets and tests.
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

/// The explanation of a status: the cause, what happens next, and what becomes of unsent messages.
fn explanation(status: Status, is_full: bool) -> &'static str {
    match status {
        Status::Stopped | Status::SignedOut => "Enter a name to continue.",
        Status::Connecting => "Connecting to the server. Nothing you write gets lost.",
        Status::Connected => "Messages are sent and received right away.",
        Status::Polling if is_full => {
            "The server has no live connections left, so updates arrive by polling. Nothing gets lost."
        }
        Status::Polling => "Your network blocks WebSockets, so updates arrive by polling. Nothing gets lost.",
        Status::Waiting { .. } => {
            "Can't reach the server. We'll keep trying, and nothing you write gets lost."
        }
        Status::Offline => {
            "Your device is offline. You'll be reconnected automatically, and nothing you write gets lost."
        }
        Status::Refused => "The server ended the connection. Retry now, or reload the page.",
    }
}

/// The seconds of the countdown, at least 1: at 0 the status is "connecting".
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
