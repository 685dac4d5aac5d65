//! Access to the browser: clocks, randomness, storage, and events.

mod clock;
pub use clock::{node_ms, note_node_time, now_ms, sleep, wall_ms};

mod random;
pub use random::new_key;

mod storage;
pub use storage::WebStorage;

mod lifetime;
pub use lifetime::{on_leave, on_window_event, repeat};

mod throttle;
pub use throttle::Throttle;
