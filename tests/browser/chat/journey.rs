//! The journey: the whole way of a newcomer, from the first page on, by clicks and keys alone. At every stop it looks
//! at what a person sees, hears, and does not see.

use thirtyfour::Key;

use super::{DRAFT, IN_COMPOSER, LINES, NOTHING_UNSETTLED};
use crate::product;
use crate::support::TestServer;
use crate::window::{Window, words_of};

const MENU_HAS_FOCUS: &str = "document.activeElement?.matches('#user-menu')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_way_of_a_new_user_works_as_expected() {
    let mut server = product();
    let ada = arrives_in_an_empty_room(&server).await;
    let grace = meets_somebody(&server, &ada).await;
    reads_back_to_the_first_line(&server, &ada, &grace).await;
    visits_another_room_and_comes_back(&ada, &grace).await;
    sees_a_new_name(&ada, &grace).await;
    outlives_the_server(&mut server, &ada, &grace).await;
    finds_all_after_a_reload(&ada, &grace).await;
    signs_out(&ada, &grace).await;
}

/// Waits until the line above the messages says this.
async fn sees_at_the_top(window: &Window, words: &str) {
    let is_shown = format!("{} === '{words}'", words_of(".timeline-top [role=status]"));
    window.until(&format!("{words:?} stands at the top"), &is_shown).await;
}

async fn arrives_in_an_empty_room(server: &TestServer) -> Window {
    let ada = Window::with_tabs(server.url(), &[]).await;
    ada.visits("/").await;
    ada.finds("#display-name").await;
    ada.is_calm().await;
    ada.names_itself("Ada").await;
    ada.is_in("general").await;
    ada.is_connected().await;
    sees_at_the_top(&ada, "No messages yet. Say hello.").await;
    ada.sees(1).await;
    ada.is_calm().await;

    ada.says("Is anybody here?").await;
    ada.reads("Is anybody here?").await;
    ada.until("it has arrived", NOTHING_UNSETTLED).await;
    sees_at_the_top(&ada, "This is the start of #general.").await;
    ada.until("the field is empty, to go on", &format!("{DRAFT} === '' && {IN_COMPOSER}")).await;
    ada.is_calm().await;
    ada
}

async fn meets_somebody(server: &TestServer, ada: &Window) -> Window {
    let grace = Window::with_tabs(server.url(), &[]).await;
    grace.enters_general("Grace").await;
    grace.reads("Is anybody here?").await;
    for (window, present) in [(ada, "You and Grace"), (&grace, "You and Ada")] {
        window.sees(2).await;
        let told = format!("{} === '{present}'", words_of(".member-names"));
        window.until("it is told who is here", &told).await;
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
        assert!(!spoken.iter().any(|words| words.starts_with(own)), "one's own is read aloud: {spoken:?}");
        assert!(!spoken.iter().any(|words| words.contains("anybody")), "the past is read aloud: {spoken:?}");
        window.is_calm().await;
    }
    grace
}

async fn reads_back_to_the_first_line(server: &TestServer, ada: &Window, grace: &Window) {
    server.guest("Joan").await.posts_lines("general", 1, 250).await;
    ada.reads("line 250").await;
    ada.reloads().await;
    ada.is_in("general").await;
    ada.reads("line 250").await;
    ada.clicks("#timeline").await;
    ada.presses_until(Key::PageUp, "one has left the end", "document.querySelector('.jump')").await;
    ada.presses_until(Key::Home, "the first line is there", &format!("{LINES}[0]?.[0] === 1")).await;
    sees_at_the_top(ada, "This is the start of #general.").await;
    assert_eq!(ada.texts().await.len(), 253);

    grace.says("one more").await;
    grace.says("and another").await;
    let told = format!("{} === '2 new messages'", words_of(".jump"));
    ada.until("it is told what came below", &told).await;
    ada.hears("Grace: and another").await;
    ada.clicks(".jump").await;
    ada.until("the focus is in the composer", IN_COMPOSER).await;
    ada.reads("and another").await;
    ada.until("nothing is below", "!document.querySelector('.jump')").await;
    ada.is_calm().await;
}

async fn visits_another_room_and_comes_back(ada: &Window, grace: &Window) {
    ada.starts_room("weekend plans").await;
    sees_at_the_top(ada, "No messages yet. Say hello.").await;
    ada.says("hiking?").await;
    ada.reads("hiking?").await;
    ada.sees_unread("general", 0).await;
    grace.sees(1).await;
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
    grace.names_itself("Grace King").await;
    let told = format!(
        "{}?.includes(\"You're now Grace King. Earlier messages keep your old name.\")",
        words_of(".notices")
    );
    grace.until("it is told", &told).await;
    grace.until("the focus is where it was", MENU_HAS_FOCUS).await;
    grace.tabs_to("#composer").await;
    grace.says("as a King").await;
    ada.hears("Grace King: as a King").await;
    let authors =
        "[...document.querySelectorAll('.message-author')].slice(-2).map(author => author.textContent)";
    assert_eq!(ada.tells::<Vec<String>>(authors).await, ["Grace", "Grace King"]);
    grace.is_calm().await;
}

async fn outlives_the_server(server: &mut TestServer, ada: &Window, grace: &Window) {
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
        window.until("nothing is pending", NOTHING_UNSETTLED).await;
        window.sees(2).await;
        assert_eq!(window.alarms().await, Vec::<String>::new(), "the badge tells of it already");
        // The browser itself notes each attempt that failed.
        window.console_errors().await;
        let sent = format!("{LINES}.filter(([, text]) => text === 'into the dark').length");
        assert_eq!(window.tells::<u32>(&sent).await, 1);
        window.is_calm().await;
    }
}

async fn finds_all_after_a_reload(ada: &Window, grace: &Window) {
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
    ada.until("what was begun is kept", &format!("{DRAFT} === 'begun'")).await;
    ada.is_calm().await;
}

async fn signs_out(ada: &Window, grace: &Window) {
    ada.sees(2).await;
    ada.tabs_to("#user-menu").await;
    ada.presses(Key::Enter).await;
    let warned = "document.querySelector('#user-actions').innerText\
                  .includes(\"You can't get this name back after signing out.\")";
    ada.until("it is told what that means", warned).await;
    ada.tabs_to("#sign-out").await;
    ada.presses(Key::Enter).await;
    ada.finds("#display-name").await;
    ada.has_status("stopped").await;
    let statuses = ada.statuses().await;
    assert!(!statuses.contains(&"signed-out".to_owned()), "the badge said {statuses:?}");
    ada.until("no notice stays", &format!("{} === ''", words_of(".notices"))).await;
    ada.is_calm().await;
    grace.sees(1).await;
    grace.is_calm().await;
}
