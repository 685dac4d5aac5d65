//! The journey of a new user from the first page to signing out, by clicks and keys alone. Each step checks the page and
//! its announcements, and that there is no alarm.

use thirtyfour::Key;

use super::{DRAFT, IN_COMPOSER, MESSAGES, NOTHING_PENDING};
use crate::product;
use crate::support::TestServer;
use crate::window::{Window, words_of};

const MENU_HAS_FOCUS: &str = "document.activeElement?.matches('#user-menu')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_gets_from_the_first_page_to_signing_out_by_clicks_and_keys() {
    let mut server = product();
    let ada = arrives_in_an_empty_room(&server).await;
    let grace = meets_another_user(&server, &ada).await;
    scrolls_back_to_the_first_message(&server, &ada, &grace).await;
    visits_another_room_and_comes_back(&ada, &grace).await;
    sees_a_new_name(&ada, &grace).await;
    survives_a_restart_of_the_server(&mut server, &ada, &grace).await;
    finds_everything_after_a_reload(&ada, &grace).await;
    signs_out(&ada, &grace).await;
}

/// Waits until the line above the messages has this text.
async fn sees_above_the_messages(window: &Window, words: &str) {
    let is_shown = format!("{} === '{words}'", words_of(".timeline-top [role=status]"));
    window.until(&format!("{words:?} is above the messages"), &is_shown).await;
}

async fn arrives_in_an_empty_room(server: &TestServer) -> Window {
    let ada = Window::with_tabs(server.url(), &[]).await;
    ada.visits("/").await;
    ada.finds("#display-name").await;
    ada.is_calm().await;
    ada.enters_name("Ada").await;
    ada.is_in("general").await;
    ada.is_connected().await;
    sees_above_the_messages(&ada, "No messages yet. Say hello.").await;
    ada.sees_members(1).await;
    ada.is_calm().await;

    ada.says("Is anybody here?").await;
    ada.reads("Is anybody here?").await;
    ada.until("the message is settled", NOTHING_PENDING).await;
    sees_above_the_messages(&ada, "This is the start of #general.").await;
    ada.until("the field is empty and has the focus", &format!("{DRAFT} === '' && {IN_COMPOSER}")).await;
    ada.is_calm().await;
    ada
}

async fn meets_another_user(server: &TestServer, ada: &Window) -> Window {
    let grace = Window::with_tabs(server.url(), &[]).await;
    grace.enters_general("Grace").await;
    grace.reads("Is anybody here?").await;
    for (window, present) in [(ada, "You and Grace"), (&grace, "You and Ada")] {
        window.sees_members(2).await;
        let is_shown = format!("{} === '{present}'", words_of(".member-names"));
        window.until("the members are named", &is_shown).await;
    }
    for (writer, reader, name, text) in
        [(&grace, ada, "Grace", "hello, Ada"), (ada, &grace, "Ada", "hello, Grace")]
    {
        writer.until("the focus is in the composer", IN_COMPOSER).await;
        writer.presses(text).await;
        reader.sees_typing(&format!("{name} is typing…")).await;
        writer.presses(Key::Enter).await;
        reader.reads(text).await;
        reader.sees_typing("").await;
        reader.hears(&format!("{name}: {text}")).await;
    }
    for (window, own) in [(ada, "Ada: "), (&grace, "Grace: ")] {
        assert_eq!(window.texts().await, ["Is anybody here?", "hello, Ada", "hello, Grace"]);
        let spoken = window.spoken().await;
        assert!(!spoken.iter().any(|words| words.starts_with(own)), "own messages are announced: {spoken:?}");
        assert!(
            !spoken.iter().any(|words| words.contains("anybody")),
            "the history is announced: {spoken:?}"
        );
        window.is_calm().await;
    }
    grace
}

async fn scrolls_back_to_the_first_message(server: &TestServer, ada: &Window, grace: &Window) {
    server.guest("Joan").await.posts_messages("general", 1, 250).await;
    ada.reads("line 250").await;
    ada.reloads().await;
    ada.is_in("general").await;
    ada.reads("line 250").await;
    ada.clicks("#timeline").await;
    ada.presses_until(Key::PageUp, "the list has left the end", "document.querySelector('.jump')").await;
    ada.presses_until(Key::Home, "the first message is loaded", &format!("{MESSAGES}[0]?.[0] === 1")).await;
    sees_above_the_messages(ada, "This is the start of #general.").await;
    assert_eq!(ada.texts().await.len(), 253);

    grace.says("one more").await;
    grace.says("and another").await;
    let is_shown = format!("{} === '2 new messages'", words_of(".jump"));
    ada.until("the button counts the new messages", &is_shown).await;
    ada.hears("Grace: and another").await;
    ada.clicks(".jump").await;
    ada.until("the focus is in the composer", IN_COMPOSER).await;
    ada.reads("and another").await;
    ada.until("the list is at the end", "!document.querySelector('.jump')").await;
    ada.is_calm().await;
}

async fn visits_another_room_and_comes_back(ada: &Window, grace: &Window) {
    ada.starts_room("weekend plans").await;
    sees_above_the_messages(ada, "No messages yet. Say hello.").await;
    ada.says("hiking?").await;
    ada.reads("hiking?").await;
    ada.sees_unread("general", 0).await;
    grace.sees_members(1).await;
    for text in ["where", "are", "you"] {
        grace.says(text).await;
    }
    ada.sees_unread("general", 3).await;
    ada.is_calm().await;
    ada.driver.back().await.unwrap();
    ada.finds("#room-name").await;
    ada.driver.back().await.unwrap();
    ada.is_in("general").await;
    ada.reads("you").await;
    ada.sees_new_from(256).await;
    ada.sees_unread("general", 0).await;
    ada.is_calm().await;
}

async fn sees_a_new_name(ada: &Window, grace: &Window) {
    grace.tabs_to("#user-menu").await;
    grace.presses(Key::Enter).await;
    grace.tabs_to("#rename").await;
    grace.presses(Key::Enter).await;
    grace.enters_name("Grace King").await;
    let is_shown = format!(
        "{}?.includes(\"You're now Grace King. Earlier messages keep your old name.\")",
        words_of(".notices")
    );
    grace.until("the notice is shown", &is_shown).await;
    grace.until("the focus is back in the menu", MENU_HAS_FOCUS).await;
    grace.tabs_to("#composer").await;
    grace.says("as a King").await;
    ada.hears("Grace King: as a King").await;
    let authors =
        "[...document.querySelectorAll('.message-author')].slice(-2).map(author => author.textContent)";
    assert_eq!(ada.evaluates::<Vec<String>>(authors).await, ["Grace", "Grace King"]);
    grace.is_calm().await;
}

async fn survives_a_restart_of_the_server(server: &mut TestServer, ada: &Window, grace: &Window) {
    server.kill();
    for window in [ada, grace] {
        window.has_status("waiting").await;
        window.finds("#reconnect-now").await;
    }
    ada.says("into the dark").await;
    ada.finds(".message.pending:not([data-seq])").await;
    server.restart();
    for window in [ada, grace] {
        window.is_connected().await;
        window.reads("into the dark").await;
        window.until("nothing is pending", NOTHING_PENDING).await;
        window.sees_members(2).await;
        assert_eq!(window.alarms().await, Vec::<String>::new(), "the badge shows it already");
        // The browser logs each failed attempt.
        window.console_errors().await;
        let sent = format!("{MESSAGES}.filter(([, text]) => text === 'into the dark').length");
        assert_eq!(window.evaluates::<u32>(&sent).await, 1);
        window.is_calm().await;
    }
}

async fn finds_everything_after_a_reload(ada: &Window, grace: &Window) {
    ada.until("the focus is in the composer", IN_COMPOSER).await;
    ada.presses("begun").await;
    ada.follows("weekend-plans").await;
    grace.says("unread").await;
    ada.sees_unread("general", 1).await;
    ada.reloads().await;
    ada.is_in("weekend-plans").await;
    ada.reads("hiking?").await;
    ada.sees_unread("general", 1).await;
    ada.follows("general").await;
    ada.reads("unread").await;
    ada.sees_new_from(261).await;
    ada.until("the draft is kept", &format!("{DRAFT} === 'begun'")).await;
    ada.is_calm().await;
}

async fn signs_out(ada: &Window, grace: &Window) {
    ada.sees_members(2).await;
    ada.tabs_to("#user-menu").await;
    ada.presses(Key::Enter).await;
    let warned = "document.querySelector('#user-actions').innerText\
                  .includes(\"You can't get this name back after signing out.\")";
    ada.until("the warning is shown", warned).await;
    ada.tabs_to("#sign-out").await;
    ada.presses(Key::Enter).await;
    ada.finds("#display-name").await;
    ada.has_status("stopped").await;
    let statuses = ada.statuses().await;
    assert!(!statuses.contains(&"signed-out".to_owned()), "the badge showed {statuses:?}");
    ada.until("no notice is left", &format!("{} === ''", words_of(".notices"))).await;
    ada.is_calm().await;
    grace.sees_members(1).await;
    grace.is_calm().await;
}
