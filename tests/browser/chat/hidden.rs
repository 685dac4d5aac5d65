//! A hidden tab whose timers the browser throttles.

use std::time::Duration;

use tokio::time::{interval, timeout};

use crate::product_with;
use crate::window::Window;

/// Lets timers of a hidden tab run once a minute after two seconds, even with an open socket. The default is after five
/// minutes.
const THROTTLE: &str = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2,\
                        AllowAggressiveThrottlingWithWebSocket";
/// The time until Chromium throttles: it waits for a minute after the page was last busy.
const THROTTLED_WITHIN: Duration = Duration::from_secs(150);

/// Counts the sockets that are opened from now on, and records the time at which a timer of one second last fired.
const WATCH: &str = "(() => {
    window.opened = 0;
    const Plain = WebSocket;
    window.WebSocket = class extends Plain { constructor(...of) { super(...of); window.opened += 1; } };
    window.rang = performance.now();
    setInterval(() => { window.rang = performance.now(); }, 1000);
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_tab_stays_connected_through_heartbeats_without_a_timer() {
    let server = product_with(&["--heartbeat-secs", "3"]);
    let ada = Window::with_tabs(server.url(), &[THROTTLE]).await;
    ada.enters_general("Ada").await;
    let joan = server.guest("Joan").await;
    joan.posts("general", "k0", "already here").await;
    ada.reads("already here").await;
    let listed = "document.querySelector('.room-link')?.innerText.includes('already here')";
    ada.until("the list of rooms has the message too", listed).await;
    let _: Option<bool> = ada.evaluates(WATCH).await;
    ada.is_hidden_by_a_tab().await;

    // Two missed heartbeats would end the connection.
    let throttled = timeout(THROTTLED_WITHIN, ada.waits_until_timers_are_throttled("10000")).await;
    throttled.expect("Chromium throttles a hidden tab");
    joan.posts("general", "k1", "one").await;
    ada.until("the message arrives at once", "document.title.startsWith('(1) ')").await;
    assert_eq!(ada.evaluates::<u32>("window.opened").await, 0, "the tab had lost its connection");
}

impl Window {
    /// Waits until no timer has fired for so long.
    async fn waits_until_timers_are_throttled(&self, millis: &str) {
        let mut looks = interval(Duration::from_secs(1));
        while !self.evaluates::<bool>(&format!("performance.now() - window.rang > {millis}")).await {
            looks.tick().await;
        }
    }
}
