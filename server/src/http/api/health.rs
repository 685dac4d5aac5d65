//! `/healthz` for a supervisor and `/readyz` for a load balancer. They need no identity and check no origin.
//!
//! A process that does not answer the first one should be restarted. A process that is not ready should get no new
//! clients and be left alone: it is stopping, or it heals by itself.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::http::state::AppState;

/// The answer of `/readyz`.
#[derive(Serialize)]
struct Ready {
    ready: bool,
    /// The reasons why it is not ready.
    reasons: Vec<&'static str>,
}

/// Both routes.
pub fn routes() -> Router<AppState> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))
}

async fn alive() -> Response {
    ([(CACHE_CONTROL, "no-store")], "alive\n").into_response()
}

async fn ready(State(app): State<AppState>) -> Response {
    let locks = (app.check_locks)().inspect_err(|reason| tracing::error!(reason, "the node is not ready"));
    let known = [
        (app.is_leaving(), "the node is going away"),
        (!app.node.can_write().await, "the log cannot be written"),
        (!app.node.can_read().await, "the log cannot be read"),
        (locks.is_err(), "a lock of the node is gone; restart it"),
    ];
    let reasons: Vec<_> = known.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], Json(Ready { ready, reasons })).into_response()
}
