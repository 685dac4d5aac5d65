//! The page. The modules, in reading order; each may use those below it, and none above:

pub mod account;
pub mod app;
pub mod features;

pub mod address;
pub mod http;
pub mod realtime;
pub mod ui;

pub mod browser;

/// Where the page begins: the browser calls it once the WebAssembly is loaded.
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    app::mount();
}
