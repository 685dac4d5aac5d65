//! The table of routes, and the layers around them.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use contract::{About, documented};
use shared::endpoint;
use tower::util::option_layer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

use crate::http::api::{arrival, events, health, me, upgrade};
use crate::http::client_files;
use crate::http::error;
use crate::http::feature::{Feature, Routes};
use crate::http::guard::budget::{self, COMPRESSED_FROM_BYTES};
use crate::http::guard::{ambiguous, cors, headers, list_headers, origin};
use crate::http::layers;
use crate::http::signed_in::{COOKIE, COOKIE_UNDER_TLS};

use crate::http::state::AppState;

/// Builds the router of the node: the routes of the core and of the features, and the client's files.
///
/// A request passes these layers, from outside in. Each stands where it does for the reason given.
///
/// 1. [`list_headers::join`] makes one line of each list header: everything behind it reads such headers.
/// 2. [`layers::answer_options`] turns the router's 405 into an answer to OPTIONS: outside of the router, because only its
///    405 names the methods of a path.
/// 3. [`headers::add`]: outside of everything that can refuse, so that refusals carry the security headers too.
/// 4. CORS, if there are allowed origins: a preflight is answered here and needs nothing further.
/// 5. [`layers::identify`]: an id, a span and a log line for everything that follows, refusals included.
/// 6. [`ambiguous::refuse_ambiguous`]: after the route is matched, before a handler decodes the path.
/// 7. [`CatchPanicLayer`]: inside of `identify`, so that a panic is logged under the request's id.
/// 8. [`layers::timeout`]: around all handlers.
/// 9. [`origin::check`]: around all but the health checks and `/arrivalz`, which must answer to any host.
/// 10. The limit of body bytes.
/// 11. [`layers::accept_plain`]: right before the compression, which would refuse otherwise.
/// 12. Compression of the API's answers; the client's files are compressed already.
/// 13. [`budget::hold`]: inside of the compression, whose memory it counts too, and around the API alone: the client's
///     files are shared by all, and cost no memory.
///
/// Then the handler's arguments check identity, rate and syntax, in their order.
pub fn router(state: AppState, features: Vec<Feature>) -> Router {
    let kinds = features.iter().map(|feature| (feature.namespace, feature.payloads)).collect();
    let about = About { kinds, cookie: COOKIE, cookie_under_tls: COOKIE_UNDER_TLS };
    let routes = features.into_iter().fold(core(), |routes, feature| routes.merge(feature.routes));
    let cors = cors::cors(state.origins.allowed());
    let cors = option_layer(cors.map(|cors| from_fn_with_state(cors, cors::cors_without_plain_options)));
    let api = documented(routes, about).layer((
        from_fn(layers::accept_plain),
        // Each answer is for one reader, who must not wait for the smallest form.
        CompressionLayer::new()
            .quality(CompressionLevel::Fastest)
            .compress_when(DefaultPredicate::new().and(SizeAbove::new(COMPRESSED_FROM_BYTES))),
        from_fn_with_state(state.clone(), budget::hold),
    ));
    let router = api
        .fallback(client_files::serve)
        .layer(DefaultBodyLimit::max(state.limits.body_bytes_max as usize))
        .layer(from_fn_with_state(state.clone(), origin::check))
        .merge(health::routes())
        .merge(arrival::routes())
        .layer(from_fn(layers::timeout))
        .layer(CatchPanicLayer::custom(error::on_panic))
        .layer(from_fn(ambiguous::refuse_ambiguous))
        .layer(from_fn_with_state(state.clone(), layers::identify))
        .layer(cors)
        .layer(from_fn_with_state(state.clone(), headers::add))
        .with_state(state);
    Router::new()
        .fallback_service(router)
        .layer(from_fn(layers::answer_options))
        .layer(from_fn(list_headers::join))
}

fn core() -> Routes {
    Routes::new()
        .get(endpoint::ME, "Returns your identity.", me::me)
        .post(endpoint::ME, "Makes an account, or changes your name.", me::sign_up_or_rename)
        .delete(endpoint::ME, "Signs you out, everywhere this sign-in is used.", me::sign_out)
        .get(
            endpoint::EVENTS,
            "The events of a topic: a page, a page to wait for, or a stream.",
            events::events,
        )
        .socket(endpoint::SOCKET, "The WebSocket; its frames are in the other document.", upgrade::open)
}
