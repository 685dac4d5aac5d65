//! Loss and return of the network.

use thirtyfour::cdp::domains::network::NetworkConditions;

use crate::gate::Gate;
use crate::product;
use crate::window::Window;

const ONLINE: NetworkConditions = NetworkConditions {
    offline: false,
    latency: 0,
    download_throughput: -1,
    upload_throughput: -1,
    connection_type: None,
};

impl Window {
    async fn emulates_network(&self, conditions: NetworkConditions) {
        self.driver.cdp().network().emulate_network_conditions(conditions).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_is_shown_and_the_client_reconnects_as_soon_as_the_network_returns() {
    let server = product();
    let gate = Gate::before(&server).await;
    let window = Window::at(gate.url()).await;
    window.enters("Ada").await;
    window.is_connected().await;
    window.emulates_network(NetworkConditions { offline: true, ..ONLINE }).await;
    // The emulation leaves open sockets alone, unlike a real loss of the network.
    gate.cuts();
    window.has_status("offline").await;
    let sockets = gate.passed("/socket");
    window.emulates_network(ONLINE).await;
    window.is_connected().await;
    assert_eq!(gate.passed("/socket"), sockets + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_wrongly_reports_offline_is_not_trusted_for_long() {
    let mut server = product();
    let window = Window::entered(&server, "Ada").await;
    let _: Option<bool> = window.evaluates("(window.dispatchEvent(new Event('offline')), null)").await;
    server.kill();
    window.has_status("offline").await;
    server.restart();
    // While it is offline, the client tries every half minute.
    window.speeds_up().await;
    window.is_connected().await;

    let _: Option<bool> = window.evaluates("(window.dispatchEvent(new Event('offline')), null)").await;
    server.kill();
    window.has_status("offline").await;
    server.restart();
    // It also tries whenever its tab is shown again.
    let first = window.driver.window().await.unwrap();
    let second = window.driver.new_tab().await.unwrap();
    window.switches_to(&second).await;
    window.driver.close_window().await.unwrap();
    window.switches_to(&first).await;
    window.is_connected().await;
}
