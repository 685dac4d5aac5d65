//! The client: the app in the browser.
//!
//! Imports go one way: `app → features → account → ui → realtime → http → browser`; `address` uses only `browser`.

pub mod account;
pub mod address;
pub mod app;
pub mod browser;
pub mod features;
pub mod http;
pub mod realtime;
pub mod ui;

/// The entry point, which the browser calls once the WebAssembly is loaded.
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    app::mount();
}
