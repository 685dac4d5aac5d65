//! Two users in a room.

use super::NOTHING_PENDING;
use crate::product;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_one_user_appears_for_the_other() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.writes("hello, Grace").await;
    grace.reads("hello, Grace").await;
    grace.writes("hello, Ada").await;
    ada.reads("hello, Ada").await;

    for window in [&ada, &grace] {
        assert_eq!(window.texts().await, ["hello, Grace", "hello, Ada"]);
        window.until("nothing is pending", NOTHING_PENDING).await;
    }
    let own = "[...document.querySelectorAll('.message')].map(line => line.classList.contains('own'))";
    assert_eq!(ada.evaluates::<Vec<bool>>(own).await, [true, false]);
    assert_eq!(grace.evaluates::<Vec<bool>>(own).await, [false, true]);
    let authors = "[...document.querySelectorAll('.message-author')].map(author => author.textContent)";
    assert_eq!(ada.evaluates::<Vec<String>>(authors).await, ["Ada", "Grace"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_keeps_the_history() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    ada.writes("first").await;
    ada.reads("first").await;
    ada.writes("second").await;
    ada.reads("second").await;
    ada.reloads().await;
    ada.reads("second").await;
    assert_eq!(ada.texts().await, ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_name_appears_on_new_messages_only() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.writes("as Ada").await;
    grace.reads("as Ada").await;
    ada.changes_name("Countess").await;
    ada.until("the new name is taken", "document.querySelector('#user-menu').innerText.includes('Countess')")
        .await;
    ada.writes("as Countess").await;
    grace.reads("as Countess").await;
    let authors = "[...document.querySelectorAll('.message-author')].map(author => author.textContent)";
    assert_eq!(grace.evaluates::<Vec<String>>(authors).await, ["Ada", "Countess"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_name_appears_in_the_users_other_windows() {
    let server = product();
    let ada = Window::in_general_with_tabs(&server, "Ada").await;
    let (first, _) = ada.opens_a_tab("/rooms/general").await;
    ada.is_connected().await;
    ada.changes_name("Countess").await;
    ada.switches_to(&first).await;
    let follows = "document.querySelector('#user-menu').innerText.includes('Countess')";
    ada.until("the first window has the new name", follows).await;
}
