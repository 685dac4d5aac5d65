//! Clocks and waiting.

use std::cell::Cell;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::window;
use shared::Millis;

/// The monotonic clock in milliseconds, for waiting and deadlines. It starts at about 0 when the document is loaded.
pub fn now_ms() -> Millis {
    window().performance().map_or(0.0, |clock| clock.now()) as Millis
}

/// This machine's clock, in milliseconds since the Unix epoch. It may be wrong, and may be set back.
pub fn wall_ms() -> Millis {
    js_sys::Date::now() as Millis
}

thread_local! {
    /// The lead of the node's clock over this machine's; zero until a node has reported its time.
    static NODE_AHEAD_MS: Cell<Millis> = const { Cell::new(0) };
}

/// The node's clock, in milliseconds since the Unix epoch: the one to compare an event's `at` with. Until a node has
/// reported its time this is [`wall_ms`].
///
/// Example: this machine says 12:00 and the node said 12:07 a minute ago, when this machine said 11:59. The node's
/// clock is 8 minutes ahead, so this returns 12:08.
pub fn node_ms() -> Millis {
    wall_ms() + NODE_AHEAD_MS.get()
}

/// Notes the node's time, which is exact to `precision_ms`. A smaller difference is ignored, so that times on the
/// screen do not waver.
pub fn note_node_time(node_now: Millis, precision_ms: Millis) {
    if (node_now - node_ms()).abs() > precision_ms {
        NODE_AHEAD_MS.set(node_now - wall_ms());
    }
}

/// Sleeps. In a hidden tab it may take up to a minute longer.
pub async fn sleep(millis: u64) {
    TimeoutFuture::new(millis.try_into().unwrap_or(u32::MAX)).await;
}
