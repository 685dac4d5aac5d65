//! `WebSocketLink`: one WebSocket to the node, from opening to closing.
//!
//! A socket that still accepts frames may be dead all the same: only its read half reports that it is lost.

use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message as WebSocketMessage, WebSocketError};
use leptos::prelude::window;
use leptos::task::spawn_local;
use shared::endpoint;

/// The close code of a connection that ended without a close frame (RFC 6455 §7.1.5).
const ABNORMAL_CLOSURE: u16 = 1006;

/// An event of a link.
pub(super) enum LinkEvent {
    /// The node sent a frame.
    Text(String),
    /// The link closed with this code. No event follows.
    Closed(u16),
}

/// A WebSocket that is opening or open. Dropping it closes it and ends its events.
pub(super) struct WebSocketLink {
    sink: SplitSink<WebSocket, WebSocketMessage>,
    read_task: AbortHandle,
}

impl WebSocketLink {
    /// Opens a socket to the node that served this document. `None` if the browser refuses to try; then
    /// [`LinkEvent::Closed`] follows all the same.
    pub(super) fn open(on_event: impl Fn(LinkEvent) + 'static) -> Option<WebSocketLink> {
        // No subprotocol is offered: Trunk's proxy confirms none, and the browser would then give up.
        let Ok(socket) = WebSocket::open(&url()) else {
            // Not at once: the caller is still busy with opening.
            spawn_local(async move { on_event(LinkEvent::Closed(ABNORMAL_CLOSURE)) });
            return None;
        };
        let (sink, stream) = socket.split();
        let (read_task, registration) = AbortHandle::new_pair();
        let read = read(stream, read_task.clone(), on_event);
        spawn_local(Abortable::new(read, registration).map(drop));
        Some(WebSocketLink { sink, read_task })
    }

    /// Sends within the caller's task: in a hidden tab a task of its own might run too late.
    pub(super) fn send(&mut self, text: String) {
        // A sink that is not ready is not open yet, and nothing is sent to a node before its welcome.
        let _ = self.sink.send(WebSocketMessage::Text(text)).now_or_never();
    }
}

impl Drop for WebSocketLink {
    fn drop(&mut self) {
        self.read_task.abort();
    }
}

async fn read(mut stream: SplitStream<WebSocket>, read_task: AbortHandle, on_event: impl Fn(LinkEvent)) {
    let mut code = ABNORMAL_CLOSURE;
    while let Some(message) = stream.next().await {
        match message {
            _ if read_task.is_aborted() => return,
            Ok(WebSocketMessage::Text(text)) => on_event(LinkEvent::Text(text)),
            Err(WebSocketError::ConnectionClose(close)) => code = close.code,
            _ => {}
        }
    }
    on_event(LinkEvent::Closed(code));
}

fn url() -> String {
    let location = window().location();
    let scheme = if location.protocol().as_deref() == Ok("https:") { "wss" } else { "ws" };
    format!("{scheme}://{}{}", location.host().unwrap_or_default(), endpoint::SOCKET)
}
