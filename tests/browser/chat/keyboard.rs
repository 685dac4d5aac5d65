//! The keyboard alone: few keys, and the focus is never lost.

use thirtyfour::Key;

use super::IN_COMPOSER;
use crate::product;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_can_be_done_with_the_keyboard_alone() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    ada.tabs_to(".brand").await;
    ada.presses(Key::Enter).await;
    ada.finds("#room-name").await;
    ada.tabs_to("#room-name").await;
    ada.presses("tea").await;
    ada.presses(Key::Enter).await;
    ada.is_in("tea").await;
    ada.until("the focus is in the composer", IN_COMPOSER).await;
    ada.presses("one line").await;
    let shift_enter = ada.driver.action_chain().key_down(Key::Shift).send_keys(Key::Enter).key_up(Key::Shift);
    shift_enter.perform().await.unwrap();
    ada.presses("and another").await;
    ada.presses(Key::Enter).await;
    ada.reads("one line\nand another").await;
    ada.says("goes on").await;
    ada.reads("goes on").await;
    ada.tabs_to("#user-menu").await;
    ada.presses(Key::Enter).await;
    ada.tabs_to("#sign-out").await;
    ada.presses(Key::Enter).await;
    ada.finds("#display-name").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_keys_lead_from_the_address_bar_to_the_composer() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    // From the address bar, Tab goes to the first element.
    let first = "document.querySelector('a[href], button, input, textarea, [tabindex=\"0\"]')";
    assert!(ada.evaluates::<bool>(&format!("{first}.matches('.skip-link')")).await);
    let _: Option<bool> = ada.evaluates(&format!("({first}.focus(), null)")).await;
    ada.presses(Key::Enter).await;
    ada.says("quickly").await;
    ada.reads("quickly").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entering_a_room_by_key_leads_to_its_composer_and_is_announced() {
    let server = product();
    server.guest("Joan").await.posts("tea", "k", "come in").await;
    let ada = Window::in_general(&server, "Ada").await;
    let link = ".room-link[data-room=tea]";
    ada.finds(link).await;
    ada.tabs_to(link).await;
    ada.presses(Key::Enter).await;
    ada.is_in("tea").await;
    ada.until("the focus is in the composer", IN_COMPOSER).await;
    ada.until("the title of the tab has the name", "document.title.includes('tea')").await;
    let named = "document.querySelector('#composer').labels.length > 0 \
                 || document.querySelector('#composer').ariaLabel === 'Message #tea'";
    ada.until("the field is named for screen readers", named).await;
    ada.clicks(".sidebar .icon-button").await;
    ada.until("a new room can be named", "document.activeElement.id === 'room-name'").await;
}
