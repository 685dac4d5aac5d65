//! Floods over HTTP/2, frame by frame: the node closes their connection or keeps it within its limits, uses little
//! memory, and serves everybody else.

use std::time::Duration;

use rustls::version::TLS13;
use shared::endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

use crate::support::http2::{
    ACK, CONTINUATION, END_HEADERS, END_STREAM, GET, HEADERS, PING, POST, PREFACE, ROOT, RST_STREAM,
    SETTINGS, frame, stream, window,
};
use crate::support::tls::{connect, get};
use crate::support::{TestServer, in_time};

const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];
const CANCEL: [u8; 4] = [0, 0, 0, 8];
/// The header block of `GET /api/openapi.json`, whose answer does not fit into one frame.
const GET_DOCUMENT: &[u8] = b"\x82\x87\x44\x11/api/openapi.json\x41\x09localhost";
const GROWTH_MAX: u64 = 32 << 20;
/// The node closes such a connection after a minute.
const TAKES_NOTHING_MAX: Duration = Duration::from_secs(100);

/// A frame of the node: type, flags, stream, payload.
type RawFrame = (u8, u8, u32, Vec<u8>);

/// The frames that the node sent until the test had enough, or until the connection ended.
struct FloodResult {
    frames: Vec<RawFrame>,
    connection_ended: bool,
}

/// Returns true for the answer to a ping, which proves that the connection still works.
fn is_pong((kind, flags, ..): &RawFrame) -> bool {
    (*kind, *flags) == (PING, ACK)
}

fn get_root() -> Vec<u8> {
    [GET, ROOT].concat()
}

/// Encodes a header of 16,000 bytes with HPACK: a new name, and the value with its length.
fn field() -> Vec<u8> {
    [b"\x00\x01x\x7f\x81\x7c".as_slice(), &[b'y'; 16_000]].concat()
}

/// Sends frames and a ping, and reads until `enough` returns true. Then asserts that another client is served, and that
/// the node has not grown much.
async fn flood(server: &TestServer, frames: Vec<Vec<u8>>, enough: fn(&RawFrame) -> bool) -> FloodResult {
    let before = server.rss_bytes();
    let trusted = server.data().join("tls/localhost.crt");
    let stream = connect(server.address(), &trusted, &TLS13, "h2").await.unwrap();
    let (reading, mut writing) = tokio::io::split(stream);
    let start = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    let all = [start, frames.concat(), frame(PING, 0, 0, &[0; 8])].concat();
    let written = tokio::spawn(async move {
        // It fails if the node closes the connection.
        writing.write_all(&all).await.ok();
        writing.flush().await.ok();
        writing
    });
    let result = in_time("the flood is over", listen(reading, enough)).await;
    let answer =
        get(connect(server.address(), &trusted, &TLS13, "http/1.1").await.unwrap(), endpoint::ME).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "another client must be served: {answer}");
    let grown = server.rss_bytes().saturating_sub(before);
    assert!(grown < GROWTH_MAX, "the node grew by {grown} bytes");
    written.abort();
    result
}

async fn listen(mut reading: ReadHalf<TlsStream<TcpStream>>, enough: fn(&RawFrame) -> bool) -> FloodResult {
    let mut frames = Vec::new();
    while let Ok(frame) = next(&mut reading).await {
        let is_enough = enough(&frame);
        frames.push(frame);
        if is_enough {
            return FloodResult { frames, connection_ended: false };
        }
    }
    FloodResult { frames, connection_ended: true }
}

async fn next(reading: &mut ReadHalf<TlsStream<TcpStream>>) -> std::io::Result<RawFrame> {
    let mut head = [0; 9];
    reading.read_exact(&mut head).await?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    reading.read_exact(&mut payload).await?;
    Ok((kind, flags, u32::from_be_bytes(stream), payload))
}

fn server() -> TestServer {
    TestServer::with(&["--tls", "self-signed"])
}

#[tokio::test]
async fn streams_that_are_reset_at_once_end_their_connection() {
    let reset = |n| {
        let opened = frame(HEADERS, END_HEADERS | END_STREAM, stream(n), &get_root());
        [opened, frame(RST_STREAM, 0, stream(n), &CANCEL)].concat()
    };
    let result = flood(&server(), (0..50_000).map(reset).collect(), is_pong).await;
    assert!(result.connection_ended, "it is still open after 50,000 streams");
}

#[tokio::test]
async fn a_header_block_without_an_end_ends_its_connection() {
    let begun = frame(HEADERS, END_STREAM, stream(0), &get_root());
    let more = (0..2_000).map(|_| frame(CONTINUATION, 0, stream(0), &field()));
    let result = flood(&server(), std::iter::once(begun).chain(more).collect(), is_pong).await;
    assert!(result.connection_ended, "it is still open after 32 MB of headers");
}

#[tokio::test]
async fn empty_continuations_without_an_end_end_their_connection() {
    let begun = frame(HEADERS, END_STREAM, stream(0), &get_root());
    let more = (0..100_000).map(|_| frame(CONTINUATION, 0, stream(0), &[]));
    let result = flood(&server(), std::iter::once(begun).chain(more).collect(), is_pong).await;
    assert!(result.connection_ended, "it is still open after 100,000 frames");
}

#[tokio::test]
async fn oversized_headers_are_refused_without_affecting_other_streams() {
    let begun = frame(HEADERS, END_STREAM, stream(0), &get_root());
    let more = frame(CONTINUATION, 0, stream(0), &field());
    let last = frame(CONTINUATION, END_HEADERS, stream(0), &field());
    let next = frame(HEADERS, END_HEADERS | END_STREAM, stream(1), &get_root());
    let result =
        flood(&server(), vec![begun, more.clone(), more.clone(), more, last, next], |(_, _, of, _)| {
            *of == stream(1)
        })
        .await;
    assert!(!result.connection_ended);
    // The answer is 431, or only the stream is reset.
    assert!(
        result.frames.iter().any(|(kind, _, of, _)| *of == stream(0) && [HEADERS, RST_STREAM].contains(kind))
    );
}

#[tokio::test]
async fn a_connection_may_have_a_hundred_streams_and_more_are_refused() {
    let opened = |n| frame(HEADERS, END_HEADERS, stream(n), &[POST, ROOT].concat());
    let result = flood(&server(), (0..1_000).map(opened).collect(), |(_, _, of, _)| *of == stream(999)).await;
    let is_refused = |(kind, _, _, why): &&RawFrame| *kind == RST_STREAM && *why == REFUSED_STREAM;
    let refused = result.frames.iter().filter(is_refused).count();
    assert!(result.connection_ended || refused >= 900, "{refused} of 900 were refused");
}

#[tokio::test]
async fn a_connection_that_does_not_read_its_answers_is_closed_even_if_it_answers_pings() {
    let server = server();
    let trusted = server.data().join("tls/localhost.crt");
    let requests = (0..100).map(|n| frame(HEADERS, END_STREAM | END_HEADERS, stream(n), GET_DOCUMENT));
    let start = [PREFACE.to_vec(), window(1)].into_iter();
    let stream = connect(server.address(), &trusted, &TLS13, "h2").await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(stream);
    writing.write_all(&start.chain(requests).collect::<Vec<_>>().concat()).await.unwrap();
    writing.flush().await.unwrap();

    let begun = Instant::now();
    let until_ended = async {
        while let Ok((kind, flags, _, payload)) = next(&mut reading).await {
            if kind == PING && flags != ACK {
                // It fails if the node closes the connection.
                writing.write_all(&frame(PING, ACK, 0, &payload)).await.ok();
                writing.flush().await.ok();
            }
        }
    };
    timeout(TAKES_NOTHING_MAX, until_ended).await.expect("the connection is closed");
    assert!(begun.elapsed() > TAKES_NOTHING_MAX / 3, "a client that is only slow has time");
}
