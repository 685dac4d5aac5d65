//! `/echo`: a WebSocket that sends every message back, with the same code as the product's.
//!
//! Conformance suites use it, since they know no protocol above RFC 6455. `tests/README.md` says how to run one.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use server::http::api::upgrade::bounded;
use server::http::{Answer, AppState, Routes};

/// Returns the one route.
pub fn routes() -> Routes {
    Routes::new().socket("/echo", "Sends every message back.", open)
}

async fn open(State(app): State<AppState>, upgrade: WebSocketUpgrade) -> Answer<WebSocketUpgrade> {
    Answer::of(bounded(upgrade, &app.limits).on_upgrade(echo))
}

/// Echoes until one side closes the socket. The library answers pings and closes by itself, as it does for the product.
async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}
