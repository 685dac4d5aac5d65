//! A page of somebody else: the browser's own `EventSource`, which knows nothing but its last id.

use crate::product;
use crate::window::Window;

const LISTEN: &str = "new Promise(ready => {
    window.heard = [];
    const source = new EventSource('/api/topics/chat:general/events?after=0');
    source.addEventListener('event', event => window.heard.push(JSON.parse(event.data).seq));
    source.addEventListener('reset', () => window.heard.push('reset'));
    source.addEventListener('open', () => ready(true), { once: true });
})";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_source_resumes_after_a_crash_and_after_a_graceful_stop() {
    let mut server = product();
    let (window, ada) = (Window::entered(&server, "Grace").await, server.guest("Ada").await);
    assert!(window.tells::<bool>(LISTEN).await);
    for life in 0..3 {
        if life == 1 {
            server.kill();
            server.restart();
        } else if life == 2 {
            server.terminate();
            server.ended().await;
            server.restart();
        }
        // The first of them are published before the browser is back.
        for number in 1..=5 {
            ada.posts("general", &format!("life-{life}-{number}"), "hello").await;
        }
        window.until("all is heard", &format!("window.heard.length >= {}", 5 * (life + 1))).await;
    }
    assert_eq!(window.tells::<Vec<u64>>("window.heard").await, (1..=15).collect::<Vec<_>>());
}
