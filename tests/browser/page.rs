//! What holds for the page whatever it shows: a first visit, names, unknown addresses.

use super::product;
use super::window::ENTER;

#[tokio::test]
async fn an_ordinary_first_visit_logs_no_error() {
    let server = product();
    let window = server.window("/").await;
    window.signs_in("Ada").await;
    window.reloads().await;
    window.is("connected").await;
    assert_eq!(window.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn an_unknown_address_says_so_and_leads_home() {
    let server = product();
    let window = server.window("/no/such/page").await;
    window.signs_in("Ada").await;
    window.finds("h1#not-found").await;
    window.clicks("main a[href='/']").await;
    window
        .until(
            "the start page is there",
            "location.pathname === '/' && !document.querySelector('#not-found')",
        )
        .await;
}

#[tokio::test]
async fn a_person_can_change_their_name_and_leave() {
    let server = product();
    let window = server.window("/").await;
    window.signs_in("Ada").await;
    window.clicks("#user-menu").await;
    window.clicks("#rename").await;
    window.finds("dialog input").await.clear().await.expect("it is a field");
    window.types("dialog input", &format!("Lovelace{ENTER}")).await;
    window
        .until(
            "the new name is shown",
            "document.querySelector('#user-menu').textContent.includes('Lovelace')",
        )
        .await;
    window.reloads().await;
    window
        .until(
            "it was kept",
            "document.querySelector('#user-menu')?.textContent.includes('Lovelace') === true",
        )
        .await;

    window.clicks("#user-menu").await;
    window.clicks("#sign-out").await;
    window.finds("#display-name").await;
    window.reloads().await;
    window.finds("#display-name").await;
}
