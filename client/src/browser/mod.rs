//! Access to the browser: clocks, randomness, the visibility of the tab, and storage.

mod clock;
pub use clock::{node_ms, note_node_time, now_ms, sleep, wall_ms};

mod random;
pub use random::{new_key, random};

mod visibility;
pub use visibility::is_hidden;

mod storage;
pub use storage::WebStorage;

mod throttle;
pub use throttle::Throttle;
