//! `/echo`: sends every message back, over the very WebSocket that the product speaks.
//!
//! For conformance suites, which know no protocol above RFC 6455; how to run one stands in `tests/README.md`.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use server::http::api::upgrade::bounded;
use server::http::{Answer, AppState, Routes};

/// The one route.
pub fn routes() -> Routes {
    Routes::new().socket("/echo", "Sends every message back.", open)
}

async fn open(State(app): State<AppState>, upgrade: WebSocketUpgrade) -> Answer<WebSocketUpgrade> {
    Answer::of(bounded(upgrade, &app.limits).on_upgrade(echo))
}

/// Until one side ends it. The library answers pings and closes by itself, as it does for the product.
async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}
