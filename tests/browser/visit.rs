//! What holds for every page, whatever features there are.

use std::fs;

use serde_json::json;
use shared::endpoint;
use tempfile::TempDir;
use thirtyfour::Key;

use crate::support::{Program, TestServer};
use crate::window::{Window, words_of};
use crate::{pages, product};

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
    window.until("a name is asked for", &asked).await;
    let shown: String = window.tells(&words_of("main")).await;
    for words in [
        "realtime",
        "Shown to others. You can change it later.",
        "No password, no email. This browser remembers you.",
    ] {
        assert!(shown.contains(words), "{words:?} is missing in {shown:?}");
    }
    let leads_to =
        |href: &str| format!("document.querySelector('main a[target=_blank][href=\"{href}\"]') !== null");
    window.until("the contract is linked", &leads_to(endpoint::OPENAPI)).await;
    let second = "[...document.querySelectorAll('main a[target=_blank][rel~=noopener]')]\
                  .some(link => link.textContent.includes('Open a second window'))";
    window.until("a second window is offered", second).await;
    let suggested: String = window.tells("document.querySelector('#display-name').value").await;
    assert!(!suggested.trim().is_empty());
    window.presses(Key::Enter).await;
    window.is_connected().await;
    let has_it = format!("{}?.includes({})", words_of("#user-menu"), json!(suggested));
    window.until("the suggestion is the name", &has_it).await;
    window.is_calm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_error_would_be_seen() {
    let server = product();
    let window = Window::of(&server).await;
    window.visits("/").await;
    window.finds("#display-name").await;
    let _: Option<bool> = window.tells("console.error('planted')").await;
    assert_eq!(window.console_errors().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_address_shows_page_not_found() {
    let server = product();
    let window = Window::signed_in(&server, "Ada", "/no/such/page").await;
    let told = format!("{} === 'Page not found'", words_of("h1#not-found"));
    window.until("it is told", &told).await;
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
    // Blanks, and marks without a letter to stand on.
    for name in ["   ", "\u{301}\u{301}"] {
        window.names_itself(name).await;
        window.until("the rule is told", &format!("{}?.length > 0", words_of("#name-problem"))).await;
        let is_marked = "document.querySelector('#display-name[aria-invalid=true]') !== null";
        window.until("it is marked", is_marked).await;
        window.has_status("stopped").await;
        let is_kept = format!("document.querySelector('#display-name').value === {}", json!(name));
        window.until("what was typed is still there", &is_kept).await;
    }
    window.finds("#display-name").await.clear().await.unwrap();
    window.types("#display-name", "Ada").await;
    window.clicks("#name-submit").await;
    window.is_connected().await;
}

/// A page that the browser keeps for "back", while another tab signs out.
const KEPT_FOR_BACK: &str = "(async () => {
    window.dispatchEvent(new Event('pagehide'));
    await fetch('/api/me', { method: 'DELETE' });
    window.dispatchEvent(new Event('pageshow'));
    return true;
})()";

/// The same, and then somebody else in.
const KEPT_WHILE_ANOTHER_CAME: &str = "(async () => {
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
    assert!(window.tells::<bool>(KEPT_WHILE_ANOTHER_CAME).await);
    let is_hers = format!("{}?.includes('Grace')", words_of("#user-menu"));
    window.until("the page is Grace's", &is_hers).await;
    window.is_connected().await;
    assert!(window.tells::<bool>(KEPT_FOR_BACK).await);
    window.finds("#display-name").await;
    let notice = format!("{}?.includes({})", words_of(".notices"), json!(SIGNED_OUT));
    window.until("it is told why", &notice).await;
    assert!(window.tells::<bool>("document.querySelector('#user-menu') === null").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_server_is_shown_once_and_the_reconnect_can_be_forced() {
    let mut server = product();
    let window = Window::entered(&server, "Ada").await;
    window.is_calm().await;
    server.kill();
    window.has_status("waiting").await;
    let hurry = format!("{}?.startsWith('Retry now')", words_of("#reconnect-now"));
    window.until("it can be hurried", &hurry).await;
    server.restart();
    // It may be back by itself before it can be hurried.
    let hurry = "document.querySelector('#reconnect-now')?.click(), true";
    window.until("it was hurried", hurry).await;
    window.is_connected().await;
    assert_eq!(window.alarms().await, Vec::<String>::new(), "the badge tells of it already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_build_offers_a_reload_and_forces_none() {
    let pages = copy_of_the_pages();
    let mut server = TestServer::of(Program::Product, &["--client-files", pages.path().to_str().unwrap()]);
    let window = Window::entered(&server, "Ada").await;
    let offer = "document.querySelector('#new-version')";
    assert!(window.tells::<bool>(&format!("{offer} === null")).await);
    let _: Option<bool> = window.tells("(window.isOld = true, null)").await;

    let index = pages.path().join("index.html");
    let newer = fs::read_to_string(&index).unwrap().replace("</head>", "<!-- newer --></head>");
    fs::write(index, newer).unwrap();
    server.kill();
    server.restart();
    window
        .until("the reload is offered", &format!("{offer}?.innerText.includes('New version available')"))
        .await;
    assert!(window.tells::<bool>("window.isOld").await, "the page was reloaded by itself");
    window.clicks("#new-version button").await;
    window.until("the page is another one", "window.isOld === undefined").await;
    window.is_connected().await;
    assert!(window.tells::<bool>(&format!("{offer} === null")).await);
}

/// The client, in a folder that may be changed.
fn copy_of_the_pages() -> TempDir {
    let copy = TempDir::new().unwrap();
    for file in fs::read_dir(pages()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}
