//! `StreamDelivery`: probes whether a stream's first event arrives while nothing follows it.

use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::doctor::node_client::NodeClient;

/// The time for a stream's first event. One that takes longer is held back by something.
const EVENT_TIMEOUT: Duration = Duration::from_secs(3);
/// The part of a compressed stream that is searched for the first event, before and after decompression.
const DECOMPRESSED_BYTES_MAX: usize = 64 * 1_024;

/// The way in which a proxy passes on a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum StreamDelivery {
    /// Each event arrives when it is sent.
    EventByEvent,
    /// No event arrives until more follow.
    Buffered,
    /// Events are late only for clients that accept compression, which all browsers do.
    Compressed,
    /// There is no stream, for this reason.
    Failed(String),
}

/// Opens the stream at `path` and waits for its first event: first with compression, as browsers do, then without.
pub async fn probe(client: &NodeClient, path: &str, cookie: &str) -> StreamDelivery {
    match first_event(client, path, "gzip", cookie).await {
        Ok(true) => return StreamDelivery::EventByEvent,
        Ok(false) => {}
        Err(reason) => return StreamDelivery::Failed(reason),
    }
    match first_event(client, path, "identity", cookie).await {
        Ok(true) => StreamDelivery::Compressed,
        Ok(false) => StreamDelivery::Buffered,
        Err(reason) => StreamDelivery::Failed(reason),
    }
}

async fn first_event(client: &NodeClient, path: &str, coding: &str, cookie: &str) -> Result<bool, String> {
    let accept = (ACCEPT.as_str(), "text/event-stream");
    let accept_encoding = (ACCEPT_ENCODING.as_str(), coding);
    let request = client.get_request(path, &[accept, accept_encoding, ("cookie", cookie)])?;
    let arrival = async {
        let response = client.send(request).await?;
        if !response.status().is_success() {
            return Err(format!("GET {path} as a stream returned {}", response.status()));
        }
        let is_compressed = response.headers().contains_key("content-encoding");
        let mut chunks = Body::new(response.into_body()).into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend(chunk.map_err(|error| format!("GET {path} as a stream was cut off: {error}"))?);
            let text = if is_compressed { decompress(&bytes) } else { bytes.clone() };
            if text.windows(2).any(|pair| pair == b"\n\n") {
                return Ok(true);
            }
        }
        Ok(false)
    };
    timeout(EVENT_TIMEOUT, arrival).await.unwrap_or(Ok(false))
}

/// Returns as much text as the beginning of a gzip stream yields.
fn decompress(gzip: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let gzip = &gzip[..gzip.len().min(DECOMPRESSED_BYTES_MAX)];
    // The decoder reports the missing end, which is expected here.
    flate2::read::GzDecoder::new(gzip).take(DECOMPRESSED_BYTES_MAX as u64).read_to_end(&mut text).ok();
    text
}
