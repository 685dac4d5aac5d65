//! The check of streams: the first event must arrive while nothing follows it.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::ask::Target;
use super::checks::get;

/// The first event of a stream is there at once, or it is held back.
const EVENT_WITHIN: Duration = Duration::from_secs(3);
/// More of a stream is not looked into for its first event.
const UNPACKED_BYTES_MAX: usize = 64 * 1_024;

/// The fate of a stream on its way through a proxy.
#[derive(Debug, PartialEq, Eq)]
pub enum Stream {
    /// Each event comes by itself.
    Flows,
    /// Nothing comes.
    Held,
    /// Only where a browser takes compressed answers, as all do.
    Compressed,
    /// It is no stream at all, for this reason.
    Fails(String),
}

/// Opens the stream at `path` and watches for its first event. Without a path nothing is opened, and all is well.
pub async fn fares(target: &Target, path: Option<String>, cookie: &str) -> Stream {
    let Some(path) = path else { return Stream::Flows };
    let packed = first_event(target, &path, "gzip", cookie).await;
    match packed {
        Ok(true) => Stream::Flows,
        Err(what) => Stream::Fails(what),
        Ok(false) => match first_event(target, &path, "identity", cookie).await {
            Ok(true) => Stream::Compressed,
            Ok(false) => Stream::Held,
            Err(what) => Stream::Fails(what),
        },
    }
}

async fn first_event(target: &Target, path: &str, codings: &str, cookie: &str) -> Result<bool, String> {
    let headers =
        [(ACCEPT.as_str(), "text/event-stream"), (ACCEPT_ENCODING.as_str(), codings), ("cookie", cookie)];
    let request = get(target, path, &headers)?;
    let arrives = async {
        let answer = target.begin(request).await?;
        if !answer.status().is_success() {
            return Err(format!("GET {path} as a stream is answered with {}", answer.status()));
        }
        let is_packed = answer.headers().contains_key("content-encoding");
        let mut parts = Body::new(answer.into_body()).into_data_stream();
        let mut text = Vec::new();
        while let Some(part) = parts.next().await {
            text.extend(part.map_err(|error| format!("GET {path} as a stream broke off: {error}"))?);
            // What is packed cannot be looked into: that all of it has come shows only in that it can be unpacked.
            let whole = if is_packed { unpacked(&text) } else { text.clone() };
            if whole.windows(2).any(|two| two == b"\n\n") {
                return Ok(true);
            }
        }
        Ok(false)
    };
    timeout(EVENT_WITHIN, arrives).await.unwrap_or(Ok(false))
}

/// As much as can be unpacked of a stream of gzip that goes on.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut text = Vec::new();
    let packed = &packed[..packed.len().min(UNPACKED_BYTES_MAX)];
    // It ends before its end, which is no error here.
    flate2::read::GzDecoder::new(packed).take(UNPACKED_BYTES_MAX as u64).read_to_end(&mut text).ok();
    text
}
