//! `ConnectionBadge`: how the connection is doing, and a way to hurry it.

use std::time::Duration;

use leptos::prelude::*;
use shared::{Millis, Status};

use super::live;
use crate::browser;

/// Tells the status in a word. The countdown is not read aloud, the change of status is.
#[component]
pub fn ConnectionBadge(
    /// What to tell.
    status: ReadSignal<Status>,
    /// What "now" does.
    #[prop(into)]
    on_reconnect: Callback<()>,
) -> impl IntoView {
    let now = RwSignal::new(browser::now_ms());
    Effect::new(live(move || {
        if !matches!(status.get(), Status::Waiting { .. }) {
            return;
        }
        now.set(browser::now_ms());
        let tick = set_interval_with_handle(move || now.set(browser::now_ms()), Duration::from_millis(250));
        on_cleanup(move || tick.iter().for_each(|tick| tick.clear()));
    }));
    let countdown = live(move || match status.get() {
        Status::Waiting { until } => format!(" in {} s", seconds_left(until, now.get())),
        _ => String::new(),
    });
    let is_lost = |status| matches!(status, Status::Waiting { .. } | Status::Offline | Status::Refused);
    let can_hurry = Memo::new(move |_| is_lost(status.get()));
    let reconnect = move |_| on_reconnect.run(());
    let hurry = live(move || match can_hurry.get() {
        false => ().into_any(),
        true => view! {
            <button id="reconnect-now" type="button" class="link-button" on:click=reconnect>
                "Now" <span class="visually-hidden">": reconnect"</span>
            </button>
        }
        .into_any(),
    });
    view! {
        <div
            id="connection" class="badge" data-status=live(move || name(status.get()).to_owned())
            title=live(move || explanation(status.get()))
        >
            <span class="badge-dot" aria-hidden="true"></span>
            <span class="badge-label">
                <span role="status">{live(move || label(status.get()).to_owned())}</span>
                <span class="badge-countdown" aria-hidden="true">{countdown}</span>
            </span>
            {hurry}
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
        Status::Polling => "Connected · polling",
        Status::Waiting { .. } => "Reconnecting",
        Status::Offline => "Offline",
        Status::SignedOut => "Signed out",
        Status::Refused => "Disconnected",
    }
}

/// What the label leaves open.
fn explanation(status: Status) -> String {
    match status {
        Status::Polling => {
            "Something between here and the server lets no WebSocket through. Nothing is lost by it.".into()
        }
        _ => String::new(),
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
