//! `/arrivalz`: how a request arrived here, told back to whoever sent it. By it, `doctor` sees what stands in between.
//!
//! It tells a caller nothing but what became of its own request. As a stream it is one that a proxy may do with what it
//! is set to do: it has none of the headers by which our own streams keep theirs from holding them back.

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

use crate::http::connection::Before;
use crate::http::{ApiError, AppState, ClientIp, Peer, accepted};

/// Where it is.
pub const PATH: &str = "/arrivalz";
/// The blocks of the stream, each complete in itself.
const BLOCKS: usize = 2;
/// The pause between them: long enough to see that the first one came through alone.
const BETWEEN: Duration = Duration::from_secs(4);

/// A request as it arrived at the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// True for HTTP/1.0, which knows no streams and no sockets.
    pub is_http10: bool,
    /// Its `Host`.
    pub host: String,
    /// Its `Origin`.
    pub origin: Option<String>,
    /// The address that limits count it for.
    pub client: IpAddr,
    /// True if a trusted proxy opened the connection.
    pub by_proxy: bool,
    /// `X-Forwarded-For`, or else `Forwarded`, as the caller and each proxy wrote it.
    pub forwarded: Option<String>,
    /// For how long its connection had paused; not known of HTTP/2, which has no pauses between requests.
    pub paused_ms: Option<u64>,
    /// For how long it may.
    pub keep_alive_secs: u32,
}

/// The route: outside of the rules of Host and Origin, which it is to explain.
pub fn routes() -> Router<AppState> {
    Router::new().route(PATH, get(arrival))
}

async fn arrival(
    State(app): State<AppState>,
    ClientIp(client): ClientIp,
    request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers();
    if accepted::accepts(headers, ACCEPT, "text/event-stream") {
        let counted = app.admit_reader(ClientIp(client))?;
        let blocks = unfold((0, counted), |(number, counted)| async move {
            if number == BLOCKS {
                return None;
            }
            if number > 0 {
                sleep(BETWEEN).await;
            }
            let block = Bytes::from(format!("data: {number}\n\n"));
            Some((Ok::<_, Infallible>(block), (number + 1, counted)))
        });
        let kind = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
        return Ok((kind, Body::from_stream(blocks)).into_response());
    }
    let before = request.extensions().get::<Before>().copied();
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
        paused_ms: before.map(|before| before.paused.as_millis() as u64),
        keep_alive_secs: app.limits.keep_alive_secs,
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(arrival)).into_response())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
