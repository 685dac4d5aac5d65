//! A network that lets no WebSocket through: the chat goes on, and says how.

use super::NOTHING_UNSETTLED;
use crate::gate::Gate;
use crate::product;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_websocket_comes_through_the_chat_goes_on_by_long_poll() {
    let server = product();
    let gate = Gate::without_sockets(&server).await;
    let ada = Window::polling(&gate, "Ada", "/rooms/general").await;
    let grace = Window::signed_in(&server, "Grace", "/rooms/general").await;
    let badge = "document.querySelector('#connection').innerText.includes('polling')";
    assert!(ada.tells::<bool>(badge).await);
    for number in 1..=5 {
        grace.writes(&format!("from Grace {number}")).await;
        ada.reads(&format!("from Grace {number}")).await;
        ada.writes(&format!("from Ada {number}")).await;
        grace.reads(&format!("from Ada {number}")).await;
    }
    ada.reads("from Ada 5").await;
    assert_eq!(ada.texts().await.len(), 10);
    ada.until("nothing is pending", NOTHING_UNSETTLED).await;
    // One request for each thing that happened, and one that waits; a few more for the beginning.
    let asked = gate.passed("/events?");
    assert!(asked <= 10 + 5, "{asked} requests for 10 events");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_polls_survives_a_restart_of_the_server() {
    let mut server = product();
    let gate = Gate::without_sockets(&server).await;
    let ada = Window::polling(&gate, "Ada", "/rooms/general").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("into the dark").await;
    ada.finds(".message.pending:not([data-seq])").await;
    server.restart();
    ada.has_status("polling").await;
    ada.reads("into the dark").await;
    server.guest("Joan").await.posts("general", "k", "and back").await;
    ada.reads("and back").await;
    assert_eq!(ada.texts().await, ["into the dark", "and back"]);
}
