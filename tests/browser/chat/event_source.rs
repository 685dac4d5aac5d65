//! The browser's own `EventSource` as a client: on a reconnect it sends its last id and nothing else.

use crate::product;
use crate::window::Window;

const LISTEN: &str = "new Promise(ready => {
    window.received = [];
    const source = new EventSource('/api/topics/chat:general/events?after=0');
    source.addEventListener('event', event => window.received.push(JSON.parse(event.data).seq));
    source.addEventListener('reset', () => window.received.push('reset'));
    source.addEventListener('open', () => ready(true), { once: true });
})";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_source_resumes_after_a_crash_and_after_a_graceful_stop() {
    let mut server = product();
    let (window, ada) = (Window::entered(&server, "Grace").await, server.guest("Ada").await);
    assert!(window.evaluates::<bool>(LISTEN).await);
    for run in 0..3 {
        if run == 1 {
            server.kill();
            server.restart();
        } else if run == 2 {
            server.terminate();
            server.ended().await;
            server.restart();
        }
        // The first events are published before the browser has reconnected.
        for number in 1..=5 {
            ada.posts("general", &format!("run-{run}-{number}"), "hello").await;
        }
        window
            .until("all events are received", &format!("window.received.length >= {}", 5 * (run + 1)))
            .await;
    }
    assert_eq!(window.evaluates::<Vec<u64>>("window.received").await, (1..=15).collect::<Vec<_>>());
}
