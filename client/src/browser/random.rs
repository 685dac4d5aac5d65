//! Random keys, which come from `getRandomValues`: `randomUUID` is missing on plain-http addresses other than loopback.

use leptos::prelude::window;
use shared::Key;

/// Creates an idempotency key of 128 random bits.
pub fn new_key() -> Key {
    let mut bytes = [0; 16];
    let crypto = window().crypto().expect("every browser that runs WebAssembly has crypto");
    crypto.get_random_values_with_u8_array(&mut bytes).expect("sixteen bytes are within its quota");
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Key::try_from(text).expect("32 hexadecimal digits are a valid key")
}
