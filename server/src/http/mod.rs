//! The edge: HTTP and WebSocket in front of the core. It knows axum, and no feature by name.
//!
//! Every request passes, from outside in: lists, OPTIONS, headers, CORS, request id and log line, path and number of hosts,
//! panic and timeout, Host and Origin. Then its handler's arguments check identity, rate and syntax, in the order in
//! which they stand.

mod accepted;
pub mod arrival;
mod body;
mod budget;
mod client_ip;
mod conditional;
mod connection;
mod contract;
mod error;
mod events;
mod feature;
mod headers;
mod health;
mod healthcheck;
mod identity;
mod listener;
mod lists;
mod metrics;
mod origin;
mod pages;
mod publish;
mod purpose;
mod rates;
mod reading;
mod redirect;
mod request;
mod routing;
mod shed;
mod socket;
mod state;
mod takers;
mod turns;
mod upgrade;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use shared::endpoint;
use tower::util::option_layer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

pub use body::Body;
pub use budget::Budget;
use budget::COMPRESSED_FROM_BYTES;
pub use client_ip::{ClientIp, Proxies};
pub use contract::{Answer, Described, DescribedHandler, Operation, Payloads, Place, Routes};
pub use error::ApiError;
pub use feature::Feature;
pub use healthcheck::check as healthcheck;
pub use listener::{Common, Listener, Peer};
pub use metrics::{Meters, Refusal, There, metrics, register_memory};
pub use origin::Origins;
pub use pages::Pages;
pub use publish::{Named, Published, Writer};
pub use purpose::Purpose;
pub use rates::{Rates, Tally};
pub use redirect::to_tls;
pub use shed::shed;
pub use state::{AppState, Parts, Transport};
pub use turns::Turns;
pub use upgrade::bounded as bounded_socket;

/// The route table.
pub fn router(state: AppState, features: Vec<Feature>) -> Router {
    let core = Routes::new()
        .get(endpoint::ME, "Who you are.", identity::me)
        .post(endpoint::ME, "Makes you a guest, or gives you another name.", identity::name_me)
        .delete(endpoint::ME, "Signs you out, everywhere this sign-in is used.", identity::sign_out)
        .get(
            endpoint::EVENTS,
            "The events of a topic: a page, a page to wait for, or a stream.",
            events::events,
        )
        .socket(endpoint::SOCKET, "The WebSocket; what crosses it is in the other document.", upgrade::open);
    let body_bytes_max = state.limits.body_bytes_max as usize;
    let kinds: Vec<_> = features.iter().map(|feature| (feature.namespace, feature.payloads)).collect();
    let cors = routing::cors(state.origins.allowed());
    let cors = option_layer(cors.map(|cors| from_fn_with_state(cors, routing::let_pages_read)));
    let routes = features.into_iter().fold(core, |routes, feature| routes.merge(feature.routes));
    let routes = contract::documented(routes, kinds)
        .layer((
            from_fn(routing::accept_plain),
            // Pages are compressed already; what is different for each reader must not wait for the smallest form.
            CompressionLayer::new()
                .quality(CompressionLevel::Fastest)
                .compress_when(DefaultPredicate::new().and(SizeAbove::new(COMPRESSED_FROM_BYTES))),
            from_fn_with_state(state.clone(), budget::hold),
        ))
        .fallback(pages::page)
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .layer(from_fn_with_state(state.clone(), origin::check))
        .merge(health::routes())
        .merge(arrival::routes())
        .layer(from_fn(request::timeout))
        .layer(CatchPanicLayer::custom(error::on_panic))
        .layer(from_fn(routing::refuse_ambiguous))
        .layer(from_fn_with_state(state.clone(), request::identify))
        .layer(cors)
        .layer(from_fn_with_state(state.clone(), headers::add))
        .with_state(state);
    // What a router allows is known only outside of it.
    Router::new().fallback_service(routes).layer(from_fn(routing::answer_options)).layer(from_fn(lists::join))
}
