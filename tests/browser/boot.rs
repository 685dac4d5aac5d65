//! The loading screen: the time before the client runs, and the explanation if it cannot.

use crate::gate::Gate;
use crate::product;
use crate::support::wait::eventually;
use crate::window::{Window, words_of};

const WITHOUT_WEBASSEMBLY: &str = "delete window.WebAssembly";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visit_checks_the_sign_in_while_the_code_loads_and_loads_one_style_sheet() {
    let server = product();
    let gate = Gate::before(&server).await;
    let window = Window::at(gate.url()).await;
    // Without its WebAssembly the client itself sends no request.
    gate.refuses(".wasm", 503);
    window.visits("/").await;
    window.finds("#boot-failed:not([hidden])").await;
    let is_asked = async || (gate.passed("/api/me") == 1).then_some(());
    eventually("the sign-in is checked all the same", is_asked).await;
    gate.refuses_nothing();
    window.reloads().await;
    window.finds("#display-name").await;
    assert_eq!(gate.passed("/api/me"), 2, "the early answer was not taken");
    assert_eq!(window.evaluates::<u32>("document.querySelectorAll('link[rel=stylesheet]').length").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_without_webassembly_gets_an_explanation() {
    let server = product();
    let window = Window::of(&server).await;
    window.before_load(WITHOUT_WEBASSEMBLY).await;
    window.visits("/").await;
    let is_shown = "document.querySelector('#boot')?.innerText.includes('This page needs WebAssembly')";
    window.until("the explanation is shown", is_shown).await;
    let shown: String = window.evaluates("document.body.innerText").await;
    assert!(!shown.contains("ReferenceError") && !shown.contains("connection"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_load_shows_an_error_and_can_be_retried() {
    let server = product();
    let gate = Gate::before(&server).await;
    let page = server.stranger().get("/").await;
    let script = page.text().split('"').find(|part| part.starts_with("/client-") && part.ends_with(".js"));
    let is_shown = format!(
        "{}?.includes('load. Check your connection, then reload.')",
        words_of("#boot-failed:not([hidden])")
    );
    for missing in [".wasm", script.expect("the page contains the name of its script")] {
        // A new browser has nothing in its cache.
        let window = Window::at(gate.url()).await;
        gate.refuses(missing, 503);
        window.visits("/").await;
        window.until(&format!("the error is shown without {missing}"), &is_shown).await;
        gate.refuses_nothing();
        window.clicks("#boot-failed .button").await;
        window.finds("#display-name").await;
    }
}
