//! Timers and window events that end with the calling component.

use std::time::Duration;

use leptos::prelude::{on_cleanup, set_interval_with_handle, window_event_listener_untyped};

/// Calls `act` at this interval, for as long as the calling component lives.
pub fn repeat(every: Duration, act: impl Fn() + 'static) {
    if let Ok(timer) = set_interval_with_handle(act, every) {
        on_cleanup(move || timer.clear());
    }
}

/// Calls `act` at every window event of that name, for as long as the calling component lives.
pub fn on_window_event(name: &str, act: impl Fn() + 'static) {
    let listener = window_event_listener_untyped(name, move |_| act());
    on_cleanup(move || listener.remove());
}

/// Calls `save` when the calling component ends, and when its document is left, also by a reload.
pub fn on_leave(save: impl Fn() + Copy + Send + Sync + 'static) {
    on_window_event("pagehide", save);
    on_cleanup(save);
}
