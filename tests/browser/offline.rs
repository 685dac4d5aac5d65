//! A machine whose network goes and returns.

use thirtyfour::extensions::cdp::{ChromeDevTools, NetworkConditions};

use crate::duplex;
use crate::window::Window;

impl Window {
    async fn loses_the_network(&self) {
        let mut conditions = NetworkConditions::new();
        conditions.offline = true;
        self.has_network(&conditions).await;
    }

    async fn regains_the_network(&self) {
        self.has_network(&NetworkConditions::new()).await;
    }

    async fn has_network(&self, conditions: &NetworkConditions) {
        ChromeDevTools::new(self.driver.handle().clone()).set_network_conditions(conditions).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_is_told_and_the_page_is_back_at_once_when_the_network_is() {
    let server = duplex();
    let window = Window::signed_in(&server, "Ada", "/").await;
    window.loses_the_network().await;
    window.has_status("offline").await;
    window.regains_the_network().await;
    window.is_connected().await;
}
