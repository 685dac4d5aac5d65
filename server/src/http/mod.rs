//! The edge: HTTP and WebSocket in front of the core. It knows axum, and no feature by name.
//!
//! Every request passes, from outside in: request id and log line, headers, panic and timeout, Host and Origin. Then its
//! handler's arguments check identity, rate and syntax, in the order in which they stand.

mod body;
mod connection;
mod error;
mod events;
mod feature;
mod headers;
mod health;
mod identity;
mod listener;
mod metrics;
mod origin;
mod pages;
mod publish;
mod rates;
mod redirect;
mod request;
mod socket;
mod state;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use shared::endpoint;
use tower_http::catch_panic::CatchPanicLayer;

pub use body::Body;
pub use error::ApiError;
pub use feature::Feature;
pub use listener::{Listener, Peer};
pub use metrics::{Meters, Refusal, There, metrics};
pub use origin::Origins;
pub use pages::Pages;
pub use publish::{Published, Writer};
pub use rates::{Rates, Tally};
pub use redirect::to_tls;
pub use state::{AppState, Parts, Transport};

/// The route table.
pub fn router(state: AppState, features: impl IntoIterator<Item = Router<AppState>>) -> Router {
    let core = Router::new()
        .route(endpoint::ME, get(identity::me).post(identity::name_me).delete(identity::sign_out))
        .route(endpoint::EVENTS, get(events::events))
        .route(endpoint::SOCKET, any(socket::open));
    let body_bytes_max = state.limits.body_bytes_max as usize;
    features
        .into_iter()
        .fold(core, Router::merge)
        .fallback(pages::page)
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .layer(from_fn_with_state(state.clone(), origin::check))
        .merge(health::routes())
        .layer(from_fn(request::timeout))
        .layer(CatchPanicLayer::custom(error::on_panic))
        .layer(from_fn_with_state(state.clone(), headers::add))
        .layer(from_fn_with_state(state.clone(), request::identify))
        .with_state(state)
}
