//! What only the browser knows: the time, chance, whether somebody looks, and what it keeps for the page.
//!
//! Keys come from `getRandomValues`: `randomUUID` is missing on plain-http addresses other than loopback.

mod storage;
mod throttle;

use std::cell::Cell;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::{document, window};
use shared::{Key, Millis};

pub use storage::Storage;
pub use throttle::Throttle;

/// Milliseconds of a clock that never goes back, for waiting and deadlines.
pub fn now_ms() -> Millis {
    window().performance().map_or(0.0, |clock| clock.now()) as Millis
}

/// Milliseconds since the Unix epoch as this machine believes, for showing.
pub fn wall_ms() -> Millis {
    js_sys::Date::now() as Millis
}

thread_local! {
    /// Lead of the node's clock over this machine's; zero until a node has told its time.
    static NODE_AHEAD_MS: Cell<Millis> = const { Cell::new(0) };
}

/// Milliseconds since the Unix epoch by the node's clock, as far as it has told: what an event's `at` is compared
/// with. Until then, and while no node was ever reached, this machine's own clock.
pub fn node_ms() -> Millis {
    wall_ms() + NODE_AHEAD_MS.get()
}

/// Notes what the node's clock says now, give or take `precision_ms`. What is known well enough stays, so that times
/// on the page do not waver.
pub fn note_node_time(node_now: Millis, precision_ms: Millis) {
    if (node_now - node_ms()).abs() > precision_ms {
        NODE_AHEAD_MS.set(node_now - wall_ms());
    }
}

/// A number in `0.0..1.0`, good enough for spreading retries.
pub fn random() -> f64 {
    js_sys::Math::random()
}

/// A key that nobody else makes: 128 random bits.
pub fn new_key() -> Key {
    let mut bytes = [0; 16];
    let crypto = window().crypto().expect("every browser that runs WebAssembly has crypto");
    crypto.get_random_values_with_u8_array(&mut bytes).expect("sixteen bytes are within its quota");
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Key::try_from(text).expect("32 hexadecimal digits keep the grammar of a key")
}

/// Waits. In a hidden page it may take up to a minute longer.
pub async fn sleep(millis: u64) {
    TimeoutFuture::new(millis.try_into().unwrap_or(u32::MAX)).await;
}

/// Whether the page is in a tab that nobody sees.
pub fn is_hidden() -> bool {
    document().hidden()
}
