//! The client: the app in the browser. The modules in reading order; each may use those below it and none above:

pub mod app;

pub mod features;

pub mod account;

pub mod ui;

pub mod realtime;

pub mod address;

pub mod http;

pub mod browser;

/// The entry point, which the browser calls once the WebAssembly is loaded.
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    app::mount();
}
