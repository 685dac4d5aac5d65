//! The edge: HTTP and WebSocket in front of the core. It knows axum, and no feature by name.
//!
//! Every request passes, from outside in: CORS, request id and log line, headers, path and OPTIONS, panic and timeout,
//! Host and Origin. Then its handler's arguments check identity, rate and syntax, in the order in which they stand.

mod body;
mod client_ip;
mod connection;
mod error;
mod events;
mod feature;
mod headers;
mod identity;
mod listener;
mod origin;
mod pages;
mod publish;
mod rates;
mod redirect;
mod request;
mod routing;
mod socket;
mod state;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, get, on};
use shared::endpoint;
use tower::util::option_layer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

pub use body::Body;
pub use client_ip::{ClientIp, Proxies};
pub use error::ApiError;
pub use feature::Feature;
pub use listener::{Listener, Peer};
pub use origin::Origins;
pub use pages::Pages;
pub use publish::{Published, Writer};
pub use rates::{Rates, Tally};
pub use redirect::to_tls;
pub use socket::bounded as bounded_socket;
pub use state::{AppState, Parts, Transport};

/// The route table.
pub fn router(state: AppState, features: impl IntoIterator<Item = Router<AppState>>) -> Router {
    let core = Router::new()
        .route(endpoint::ME, get(identity::me).post(identity::name_me).delete(identity::sign_out))
        .route(endpoint::EVENTS, get(events::events))
        // By HTTP/1.1 it is asked for with GET, by HTTP/2 with CONNECT (RFC 8441).
        .route(endpoint::SOCKET, on(MethodFilter::GET.or(MethodFilter::CONNECT), socket::open));
    let body_bytes_max = state.limits.body_bytes_max as usize;
    let cors = option_layer(routing::cors(state.origins.allowed()));
    let routes = features
        .into_iter()
        .fold(core, Router::merge)
        // Pages are compressed already; what is different for each reader must not wait for the smallest form.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .fallback(pages::page)
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .layer(from_fn_with_state(state.clone(), origin::check))
        .layer(from_fn(request::timeout))
        .layer(CatchPanicLayer::custom(error::on_panic))
        .layer(from_fn(routing::refuse_odd_paths))
        .layer(from_fn_with_state(state.clone(), headers::add))
        .layer(from_fn(request::identify))
        .layer(cors)
        .with_state(state);
    // What a router allows is known only outside of it.
    Router::new().fallback_service(routes).layer(from_fn(routing::answer_options))
}
