//! `WebSocketLink`: one WebSocket to the node, from opening to the end.
//!
//! A WebSocket that still takes what is sent proves nothing; that it is lost is told by its read half alone.

use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use leptos::prelude::window;
use leptos::task::spawn_local;
use shared::endpoint;

/// The close code of a connection that just vanished.
pub(super) const VANISHED: u16 = 1006;

/// What comes out of a link.
pub(super) enum LinkEvent {
    /// A frame.
    Text(String),
    /// The end, with the close code. Nothing follows.
    Closed(u16),
}

/// A WebSocket that is open or about to be. Dropped, it closes and tells nothing more.
pub(super) struct WebSocketLink {
    sink: SplitSink<WebSocket, Message>,
    reading: AbortHandle,
}

impl WebSocketLink {
    /// Calls the node that serves this page. Nothing when the browser does not even try.
    pub(super) fn open(tell: impl Fn(LinkEvent) + 'static) -> Option<WebSocketLink> {
        // No subprotocol is offered: Trunk's proxy confirms none, and then a browser gives up.
        let (sink, stream) = WebSocket::open(&address()).ok()?.split();
        let (reading, registration) = AbortHandle::new_pair();
        let read = read(stream, reading.clone(), tell);
        spawn_local(Abortable::new(read, registration).map(drop));
        Some(WebSocketLink { sink, reading })
    }

    /// Sends at once, from within the caller: in a hidden page a task of its own might come too late.
    pub(super) fn send(&mut self, text: String) {
        // Not ready means not open yet, and before its welcome nothing is said to a node.
        let _ = self.sink.send(Message::Text(text)).now_or_never();
    }
}

impl Drop for WebSocketLink {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(mut stream: SplitStream<WebSocket>, reading: AbortHandle, tell: impl Fn(LinkEvent)) {
    let mut code = VANISHED;
    while let Some(message) = stream.next().await {
        match message {
            _ if reading.is_aborted() => return,
            Ok(Message::Text(text)) => tell(LinkEvent::Text(text)),
            Err(WebSocketError::ConnectionClose(close)) => code = close.code,
            _ => {}
        }
    }
    tell(LinkEvent::Closed(code));
}

fn address() -> String {
    let location = window().location();
    let scheme = if location.protocol().as_deref() == Ok("https:") { "wss" } else { "ws" };
    format!("{scheme}://{}{}", location.host().unwrap_or_default(), endpoint::SOCKET)
}
