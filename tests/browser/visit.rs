//! The pages that need no feature: first visit, names, notices, sign-out, new versions.

use std::fs;

use serde_json::json;
use shared::endpoint;
use tempfile::TempDir;
use thirtyfour::Key;

use crate::support::{Program, TestServer};
use crate::window::{Window, words_of};
use crate::{client_files, product};

const SIGNED_OUT: &str = "You've been signed out. Enter a name to continue.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordinary_first_visit_logs_no_console_error() {
    let server = product();
    let window = Window::entered(&server, "Ada").await;
    window.reloads().await;
    window.is_connected().await;
    window.is_calm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_sees_what_the_app_is_and_needs_one_key_to_enter() {
    let server = product();
    let window = Window::of(&server).await;
    window.visits("/").await;
    let asked = format!("{}?.includes(\"Choose a display name\")", words_of("main"));
    window.until("the form asks for a name", &asked).await;
    let shown: String = window.evaluates(&words_of("main")).await;
    for words in [
        "realtime",
        "Shown to others. You can change it later.",
        "No password, no email. This browser remembers you.",
    ] {
        assert!(shown.contains(words), "{words:?} is missing in {shown:?}");
    }
    let leads_to =
        |href: &str| format!("document.querySelector('main a[target=_blank][href=\"{href}\"]') !== null");
    window.until("the API document is linked", &leads_to(endpoint::OPENAPI)).await;
    let second = "[...document.querySelectorAll('main a[target=_blank][rel~=noopener]')]\
                  .some(link => link.textContent.includes('Open a second window'))";
    window.until("a second window is offered", second).await;
    let suggested: String = window.evaluates("document.querySelector('#display-name').value").await;
    assert!(!suggested.trim().is_empty());
    window.presses(Key::Enter).await;
    window.is_connected().await;
    let has_it = format!("{}?.includes({})", words_of("#user-menu"), json!(suggested));
    window.until("the suggested name is taken", &has_it).await;
    window.is_calm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tests_notice_an_error_in_the_console() {
    let server = product();
    let window = Window::of(&server).await;
    window.visits("/").await;
    window.finds("#display-name").await;
    let _: Option<bool> = window.evaluates("console.error('planted')").await;
    assert_eq!(window.console_errors().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_address_shows_page_not_found() {
    let server = product();
    let window = Window::signed_in(&server, "Ada", "/no/such/page").await;
    let is_shown = format!("{} === 'Page not found'", words_of("h1#not-found"));
    window.until("the heading is shown", &is_shown).await;
    window.clicks("main a[href='/']").await;
    window
        .until("the start is shown", "location.pathname === '/' && !document.querySelector('#not-found')")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_name_is_refused_at_the_field() {
    let server = product();
    let window = Window::of(&server).await;
    window.visits("/").await;
    // Spaces, and accents without a letter.
    for name in ["   ", "\u{301}\u{301}"] {
        window.enters_name(name).await;
        window.until("the rule is shown", &format!("{}?.length > 0", words_of("#name-problem"))).await;
        let is_marked = "document.querySelector('#display-name[aria-invalid=true]') !== null";
        window.until("the field is marked as invalid", is_marked).await;
        window.has_status("stopped").await;
        let is_kept = format!("document.querySelector('#display-name').value === {}", json!(name));
        window.until("the typed name is still there", &is_kept).await;
    }
    window.finds("#display-name").await.clear().await.unwrap();
    window.types("#display-name", "Ada").await;
    window.clicks("#name-submit").await;
    window.is_connected().await;
}

/// Leaves the page for the back/forward cache, signs out as another tab would, and restores the page.
const RESTORED_AFTER_SIGN_OUT: &str = "(async () => {
    window.dispatchEvent(new Event('pagehide'));
    await fetch('/api/me', { method: 'DELETE' });
    window.dispatchEvent(new Event('pageshow'));
    return true;
})()";

/// Does the same, and signs in as another user before the page is restored.
const RESTORED_AFTER_CHANGE_OF_USER: &str = "(async () => {
    window.dispatchEvent(new Event('pagehide'));
    await fetch('/api/me', { method: 'DELETE' });
    const headers = { 'Content-Type': 'application/json' };
    await fetch('/api/me', { method: 'POST', headers, body: JSON.stringify({ name: 'Grace' }) });
    window.dispatchEvent(new Event('pageshow'));
    return true;
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_document_belongs_to_the_user_who_is_signed_in_now() {
    let server = product();
    let window = Window::entered(&server, "Ada").await;
    assert!(window.evaluates::<bool>(RESTORED_AFTER_CHANGE_OF_USER).await);
    let is_hers = format!("{}?.includes('Grace')", words_of("#user-menu"));
    window.until("the page is Grace's", &is_hers).await;
    window.is_connected().await;
    assert!(window.evaluates::<bool>(RESTORED_AFTER_SIGN_OUT).await);
    window.finds("#display-name").await;
    let notice = format!("{}?.includes({})", words_of(".notices"), json!(SIGNED_OUT));
    window.until("the notice is shown", &notice).await;
    assert!(window.evaluates::<bool>("document.querySelector('#user-menu') === null").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_server_is_shown_once_and_the_reconnect_can_be_forced() {
    let mut server = product();
    let window = Window::entered(&server, "Ada").await;
    window.is_calm().await;
    server.kill();
    window.has_status("waiting").await;
    let retry = format!("{}?.startsWith('Retry now')", words_of("#reconnect-now"));
    window.until("the retry is offered", &retry).await;
    server.restart();
    // The client may have reconnected by itself before the click.
    let click = "document.querySelector('#reconnect-now')?.click(), true";
    window.until("the reconnect was forced", click).await;
    window.is_connected().await;
    assert_eq!(window.alarms().await, Vec::<String>::new(), "the badge shows it already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_build_offers_a_reload_and_forces_none() {
    let files = copy_of_client_files();
    let mut server = TestServer::of(Program::Product, &["--client-files", files.path().to_str().unwrap()]);
    let window = Window::entered(&server, "Ada").await;
    let offer = "document.querySelector('#new-version')";
    assert!(window.evaluates::<bool>(&format!("{offer} === null")).await);
    let _: Option<bool> = window.evaluates("(window.isOld = true, null)").await;

    let index = files.path().join("index.html");
    let newer = fs::read_to_string(&index).unwrap().replace("</head>", "<!-- newer --></head>");
    fs::write(index, newer).unwrap();
    server.kill();
    server.restart();
    window
        .until("the reload is offered", &format!("{offer}?.innerText.includes('New version available')"))
        .await;
    assert!(window.evaluates::<bool>("window.isOld").await, "the page was reloaded by itself");
    window.clicks("#new-version button").await;
    window.until("the page was reloaded", "window.isOld === undefined").await;
    window.is_connected().await;
    assert!(window.evaluates::<bool>(&format!("{offer} === null")).await);
}

/// Copies the client into a folder that a test may change.
fn copy_of_client_files() -> TempDir {
    let copy = TempDir::new().unwrap();
    for file in fs::read_dir(client_files()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}
