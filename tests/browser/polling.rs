//! Polling, when the network lets no WebSocket through. Needs no feature.

use crate::gate::Gate;
use crate::product;
use crate::window::{Window, words_of};

impl Window {
    /// Starts a browser behind the gate, signs in, and waits until the page polls.
    pub async fn polling(gate: &Gate, name: &str) -> Window {
        let window = Window::at(gate.url()).await;
        window.enters_and_polls(name).await;
        window
    }

    /// Does the same in a browser with tabs that hide each other.
    pub async fn polling_with_tabs(gate: &Gate, name: &str) -> Window {
        let window = Window::with_tabs(gate.url(), &[]).await;
        window.enters_and_polls(name).await;
        window
    }

    async fn enters_and_polls(&self, name: &str) {
        self.enters(name).await;
        self.has_status("polling").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_badge_shows_polling_until_a_socket_gets_through() {
    let server = product();
    let gate = Gate::without_sockets(&server).await;
    let ada = Window::polling(&gate, "Ada").await;
    let label = words_of(".badge-label");
    assert_eq!(ada.evaluates::<String>(&label).await, "Connected (slow path)");
    let shown: String = ada.evaluates("document.body.textContent").await;
    assert!(
        shown.contains("Your network blocks WebSockets, so updates arrive by polling. Nothing gets lost.")
    );
    assert_eq!(gate.passed("/socket"), 0);
    gate.refuses_nothing();
    // The next attempt would be minutes away without this event.
    let _: Option<bool> = ada.evaluates("(window.dispatchEvent(new Event('online')), null)").await;
    ada.is_connected().await;
    assert_eq!(gate.passed("/socket"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_reaches_a_hidden_tab_that_polls() {
    let server = product();
    let gate = Gate::without_sockets(&server).await;
    let ada = Window::polling_with_tabs(&gate, "Ada").await;
    ada.is_hidden_by_a_tab().await;
    // Signs out as another tab would, without the page's knowledge.
    let _: Option<bool> = ada.evaluates("(fetch('/api/me', { method: 'DELETE' }), null)").await;
    ada.until("the page asks for a name", "document.hidden && !!document.querySelector('#display-name')")
        .await;
    let notice = format!("{}?.includes(\"You've been signed out.\")", words_of(".notices"));
    ada.until("the notice is shown", &notice).await;
}
