//! What holds for every page, whatever features there are.

use std::fs;

use shared::endpoint;
use tempfile::TempDir;

use crate::support::{Program, TestServer};
use crate::window::Window;
use crate::{pages, product};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordinary_first_visit_logs_no_console_error() {
    let server = product();
    let window = Window::signed_in(&server, "Ada", "/").await;
    window.reloads().await;
    window.is_connected().await;
    assert_eq!(window.console_errors().await, [String::new(); 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_the_contract_is_styled_under_its_own_policy_and_loads_nothing() {
    let server = product();
    let window = Window::of(&server).await;
    window.visits(endpoint::DOCS).await;
    window.finds("h1").await;
    let sheet = "getComputedStyle(document.body).margin !== '8px'";
    window.until("its style sheet is in force", sheet).await;
    let loaded =
        "performance.getEntriesByType('resource').filter(entry => entry.name.startsWith('http')).length";
    assert_eq!(window.tells::<u32>(loaded).await, 0);
    assert_eq!(window.console_errors().await, [String::new(); 0]);
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
async fn an_address_that_is_no_page_says_so() {
    let server = product();
    let window = Window::signed_in(&server, "Ada", "/no/such/page").await;
    window.finds("h1#not-found").await;
    window.clicks("main a[href='/']").await;
    window
        .until("the start is shown", "location.pathname === '/' && !document.querySelector('#not-found')")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_name_is_refused_where_it_is_typed() {
    let server = product();
    let window = Window::of(&server).await;
    window.visits("/").await;
    window.names_itself("   ").await;
    let told = "document.querySelector('#name-problem')?.innerText.includes('1 to 40 characters')";
    window.until("the rule is told", told).await;
    window.has_status("stopped").await;
    window.names_itself("Ada").await;
    window.is_connected().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_can_be_changed() {
    let server = product();
    let window = Window::signed_in(&server, "Ada", "/").await;
    window.clicks("#user-menu").await;
    window.clicks("#rename").await;
    window.finds("#display-name").await.clear().await.unwrap();
    window.names_itself("Countess").await;
    window
        .until("the menu has it", "document.querySelector('#user-menu').innerText.includes('Countess')")
        .await;
    window.reloads().await;
    window.is_connected().await;
    window.until("it stays", "document.querySelector('#user-menu').innerText.includes('Countess')").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_it_in_every_tab() {
    let server = product();
    let window = Window::signed_in(&server, "Ada", "/").await;
    let (first, _) = window.opens_a_tab("/").await;
    window.is_connected().await;
    window.clicks("#user-menu").await;
    window.clicks("#sign-out").await;
    window.finds("#display-name").await;
    window.turns_to(&first).await;
    window.finds("#display-name").await;
    let notice = "document.querySelector('.notices').innerText.includes('sign-in has ended')";
    window.until("it is told why", notice).await;
    window.reloads().await;
    window.finds("#display-name").await;
    let status: u16 = window.tells(&format!("fetch('{}').then(answer => answer.status)", endpoint::ME)).await;
    assert_eq!(status, 204);
}

/// What happens to a page that the browser keeps for "back", while another tab signs out and somebody else in.
const KEPT_FOR_BACK: &str = "(async () => {
    window.dispatchEvent(new Event('pagehide'));
    await fetch('/api/me', { method: 'DELETE' });
    const headers = { 'Content-Type': 'application/json' };
    await fetch('/api/me', { method: 'POST', headers, body: JSON.stringify({ name: 'Grace' }) });
    window.dispatchEvent(new Event('pageshow'));
    return true;
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_kept_for_back_is_of_whoever_is_signed_in_by_then() {
    let server = product();
    let window = Window::signed_in(&server, "Ada", "/").await;
    assert!(window.tells::<bool>(KEPT_FOR_BACK).await);
    let is_hers = "document.querySelector('#user-menu')?.innerText.includes('Grace')";
    window.until("the page is Grace's", is_hers).await;
    window.is_connected().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_server_is_told_and_can_be_hurried() {
    let mut server = product();
    let window = Window::signed_in(&server, "Ada", "/").await;
    server.kill();
    window.has_status("waiting").await;
    window.finds("#reconnect-now").await;
    server.restart();
    // It may be back by itself before it can be hurried.
    let hurry = "document.querySelector('#reconnect-now')?.click(), true";
    window.until("it was hurried", hurry).await;
    window.is_connected().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_build_offers_a_reload_and_forces_none() {
    let pages = copy_of_the_pages();
    let mut server = TestServer::of(Program::Product, &["--pages", pages.path().to_str().unwrap()]);
    let window = Window::signed_in(&server, "Ada", "/").await;
    let offer = "document.querySelector('#new-version')";
    assert!(window.tells::<bool>(&format!("{offer} === null")).await);
    let _: Option<bool> = window.tells("(window.isOld = true, null)").await;

    let index = pages.path().join("index.html");
    let newer = fs::read_to_string(&index).unwrap().replace("</head>", "<!-- newer --></head>");
    fs::write(index, newer).unwrap();
    server.kill();
    server.restart();
    window.until("the reload is offered", &format!("{offer}?.innerText.includes('new version')")).await;
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
