//! A tab that nobody sees, with a browser that hardly lets it run.

use crate::duplex_with;
use crate::window::Window;

/// Timers of a hidden tab run once a minute, two seconds after it was hidden, whatever it is connected to.
const THROTTLE: &str = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2,\
                        AllowAggressiveThrottlingWithWebSocket";

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
    let server = duplex_with(&["--heartbeat-secs", "1"]);
    let ada = Window::at(server.url(), &[THROTTLE]).await;
    ada.signs_in("Ada", "/rooms/general").await;
    let joan = server.guest("Joan").await;
    joan.posts("general", "k0", "already here").await;
    ada.reads("already here").await;
    let _: Option<bool> = ada.tells(WATCH).await;
    let _: Option<bool> = ada.tells("(window.open('about:blank'), null)").await;
    ada.until("the tab is hidden", "document.hidden").await;

    // Two heartbeats missed would end it.
    ada.until("no timer rang for six heartbeats", "performance.now() - window.rang > 6000").await;
    joan.posts("general", "k1", "one").await;
    ada.until("it is heard at once", "document.title.startsWith('(1) ')").await;
    assert_eq!(ada.tells::<u32>("window.opened").await, 0, "the tab had lost its connection");
}
