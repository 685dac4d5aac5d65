//! A tab that nobody sees, with a browser that hardly lets it run.

use std::time::Duration;

use tokio::time::{interval, timeout};

use crate::product_with;
use crate::window::Window;

/// Timers of a hidden tab run once a minute soon, whatever it is connected to; otherwise it takes five minutes.
const THROTTLE: &str = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2,\
                        AllowAggressiveThrottlingWithWebSocket";
/// Chromium begins with it a minute after the page was busy, which is more than anything else is waited for.
const THROTTLED_WITHIN: Duration = Duration::from_secs(150);

/// Counts sockets that are opened from now on, and notes when a timer of one second last rang.
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
    ada.until("the list of rooms has it too", listed).await;
    let _: Option<bool> = ada.tells(WATCH).await;
    ada.is_hidden_by_a_tab().await;

    // Two heartbeats missed would end it.
    let throttled = timeout(THROTTLED_WITHIN, ada.misses_its_timers("10000")).await;
    throttled.expect("Chromium throttles a hidden tab");
    joan.posts("general", "k1", "one").await;
    ada.until("it is heard at once", "document.title.startsWith('(1) ')").await;
    assert_eq!(ada.tells::<u32>("window.opened").await, 0, "the tab had lost its connection");
}

impl Window {
    /// Returns once no timer has rung for so long.
    async fn misses_its_timers(&self, millis: &str) {
        let mut looks = interval(Duration::from_secs(1));
        while !self.tells::<bool>(&format!("performance.now() - window.rang > {millis}")).await {
            looks.tick().await;
        }
    }
}
