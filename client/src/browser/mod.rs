//! Access to the browser: clocks, randomness, the visibility of the tab, and storage.
//!
//! Keys come from `getRandomValues`: `randomUUID` is missing on plain-http addresses other than loopback.

mod storage;
pub use storage::Storage;

mod throttle;
pub use throttle::Throttle;

use std::cell::Cell;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::{document, window};
use shared::{Key, Millis};

/// The monotonic clock in milliseconds, for waiting and deadlines. It starts at about 0 when the document is loaded.
pub fn now_ms() -> Millis {
    window().performance().map_or(0.0, |clock| clock.now()) as Millis
}

/// This machine's clock, in milliseconds since the Unix epoch. It may be wrong, and may be set back.
pub fn wall_ms() -> Millis {
    js_sys::Date::now() as Millis
}

thread_local! {
    /// The lead of the node's clock over this machine's; zero until a node has told its time.
    static NODE_AHEAD_MS: Cell<Millis> = const { Cell::new(0) };
}

/// The node's clock, in milliseconds since the Unix epoch: the one to compare an event's `at` with. Until a node has
/// told its time this is [`wall_ms`].
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

/// A random number in `0.0..1.0`, good enough for spreading retries.
pub fn random() -> f64 {
    js_sys::Math::random()
}

/// Creates an idempotency key of 128 random bits.
pub fn new_key() -> Key {
    let mut bytes = [0; 16];
    let crypto = window().crypto().expect("every browser that runs WebAssembly has crypto");
    crypto.get_random_values_with_u8_array(&mut bytes).expect("sixteen bytes are within its quota");
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Key::try_from(text).expect("32 hexadecimal digits are a valid key")
}

/// Sleeps. In a hidden tab it may take up to a minute longer.
pub async fn sleep(millis: u64) {
    TimeoutFuture::new(millis.try_into().unwrap_or(u32::MAX)).await;
}

/// True if the tab is hidden.
pub fn is_hidden() -> bool {
    document().hidden()
}
