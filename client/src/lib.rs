//! The client: the app in the browser. The modules in reading order; each may use those below it and none above:

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
