//! A room that the browser translates.

use crate::product;
use crate::window::{Window, words_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_messages_are_offered_for_translation() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts("general", "k", "guten Tag").await;
    joan.posts("tea", "k", "der Tee").await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("guten Tag").await;
    ada.translates().await;
    ada.reads("«guten Tag»").await;
    ada.writes("noch da?").await;
    ada.reads("«noch da?»").await;

    let names = |words: &str| format!("{} === '{words}'", words_of(".member-names"));
    ada.until("the user is alone", &names("Only you")).await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.until("the list of members follows", &names("You and Grace")).await;
    grace.clicks(".brand").await;
    ada.until("the list of members follows again", &names("Only you")).await;
    ada.follows("tea").await;
    ada.reads("«der Tee»").await;
    ada.until("the heading follows", &format!("{}?.endsWith('tea')", words_of(".room h1"))).await;
    ada.changes_name("Countess").await;
    let has_name = format!("{}?.includes('Countess')", words_of("#user-menu"));
    ada.until("the own name follows", &has_name).await;
    ada.follows("general").await;
    ada.reads("«noch da?»").await;
    ada.is_calm().await;
}
