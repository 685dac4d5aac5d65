//! `/arrivalz`: tells a caller how its own request arrived at the node. `doctor` uses it to see what proxies change.
//!
//! Its stream carries none of the headers that keep proxies from buffering the real streams, so that `doctor` sees what
//! a proxy does by itself.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, FORWARDED, HOST, ORIGIN};
use axum::http::{HeaderMap, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::http::error::ApiError;
use crate::http::guard::client_ip::{ClientIp, Peer};
use crate::http::negotiation;
use crate::http::state::AppState;
use crate::net::PauseBefore;

/// The path.
pub const PATH: &str = "/arrivalz";
/// Blocks of the stream.
const BLOCKS: usize = 2;
/// The pause between two blocks: long enough to see that the first one came through alone.
const PAUSE: Duration = Duration::from_secs(4);

/// A request as it arrived at the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// True for HTTP/1.0, which has no streams and no sockets.
    pub is_http10: bool,
    /// The `Host` header.
    pub host: String,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// The client address that limits apply to.
    pub client: IpAddr,
    /// True if a trusted proxy opened the connection.
    pub by_proxy: bool,
    /// `X-Forwarded-For`, or else `Forwarded`, as the caller and the proxies wrote it.
    pub forwarded: Option<String>,
    /// Milliseconds that its connection had paused; absent for HTTP/2, which has no pauses between requests.
    pub paused_ms: Option<u64>,
    /// Seconds that a connection may pause.
    pub keep_alive_secs: u32,
}

/// The route. It is outside of the checks of Host and Origin, because it is to explain them.
pub fn routes() -> Router<AppState> {
    Router::new().route(PATH, get(arrival))
}

async fn arrival(
    State(app): State<AppState>,
    ClientIp(client): ClientIp,
    request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers();
    if negotiation::accepts(headers, ACCEPT, "text/event-stream") {
        let slot = app.admit_reader(ClientIp(client))?;
        let blocks = unfold((0, slot), |(number, slot)| async move {
            if number == BLOCKS {
                return None;
            }
            if number > 0 {
                sleep(PAUSE).await;
            }
            let block = Bytes::from(format!("data: {number}\n\n"));
            Some((Ok::<_, Infallible>(block), (number + 1, slot)))
        });
        let kind = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
        return Ok((kind, Body::from_stream(blocks)).into_response());
    }
    let pause = request.extensions().get::<PauseBefore>().copied();
    let arrival = Arrival {
        is_http10: request.version() == Version::HTTP_10,
        // HTTP/2 names the host in the address.
        host: request
            .uri()
            .authority()
            .map(ToString::to_string)
            .or(text(headers, HOST.as_str()))
            .unwrap_or_default(),
        origin: text(headers, ORIGIN.as_str()),
        client,
        by_proxy: app.proxies.trusts(Peer::of(request.extensions()).ip()),
        forwarded: text(headers, "x-forwarded-for").or_else(|| text(headers, FORWARDED.as_str())),
        paused_ms: pause.map(|PauseBefore(pause)| pause.as_millis() as u64),
        keep_alive_secs: app.limits.keep_alive_secs,
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(arrival)).into_response())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
