//! Floods over HTTP/2, frame by frame: the connection they come over is ended or held to its bounds, the node stays
//! small, and everybody else is served.

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
/// `GET /api/openapi.json`, which does not fit into one frame.
const GET_DOCUMENT: &[u8] = b"\x82\x87\x44\x11/api/openapi.json\x41\x09localhost";
const GROWTH_MAX: u64 = 32 << 20;
/// The node gives a minute.
const TAKES_NOTHING_MAX: Duration = Duration::from_secs(100);

/// A frame of the node: kind, flags, stream, payload.
type Frame = (u8, u8, u32, Vec<u8>);

/// What the node sent until it was enough, or until it ended the connection.
struct Heard {
    frames: Vec<Frame>,
    is_ended: bool,
}

/// Enough has been heard of a connection that goes on once it answers a ping.
fn pong((kind, flags, ..): &Frame) -> bool {
    (*kind, *flags) == (PING, ACK)
}

fn get_root() -> Vec<u8> {
    [GET, ROOT].concat()
}

/// A header of 16,000 bytes, as HPACK has it: a new name, and the value with its length.
fn field() -> Vec<u8> {
    [b"\x00\x01x\x7f\x81\x7c".as_slice(), &[b'y'; 16_000]].concat()
}

/// Sends these frames, then a ping; then asks for something over another connection.
async fn flood(server: &TestServer, frames: Vec<Vec<u8>>, enough: fn(&Frame) -> bool) -> Heard {
    let (before, trusted) = (server.rss_bytes(), server.data().join("tls/localhost.crt"));
    let stream = connect(server.address(), &trusted, &TLS13, "h2").await.unwrap();
    let (reading, mut writing) = tokio::io::split(stream);
    let start = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    let all = [start, frames.concat(), frame(PING, 0, 0, &[0; 8])].concat();
    let written = tokio::spawn(async move {
        // It fails once the node has had enough.
        writing.write_all(&all).await.ok();
        writing.flush().await.ok();
        writing
    });
    let heard = in_time("it is over", listen(reading, enough)).await;
    let answer =
        get(connect(server.address(), &trusted, &TLS13, "http/1.1").await.unwrap(), endpoint::ME).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "another client is not served: {answer}");
    let grown = server.rss_bytes().saturating_sub(before);
    assert!(grown < GROWTH_MAX, "the node grew by {grown} bytes");
    written.abort();
    heard
}

async fn listen(mut reading: ReadHalf<TlsStream<TcpStream>>, enough: fn(&Frame) -> bool) -> Heard {
    let mut frames = Vec::new();
    while let Ok(frame) = next(&mut reading).await {
        let is_enough = enough(&frame);
        frames.push(frame);
        if is_enough {
            return Heard { frames, is_ended: false };
        }
    }
    Heard { frames, is_ended: true }
}

async fn next(reading: &mut ReadHalf<TlsStream<TcpStream>>) -> std::io::Result<Frame> {
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
    let heard = flood(&server(), (0..50_000).map(reset).collect(), pong).await;
    assert!(heard.is_ended, "it goes on after 50,000 of them");
}

#[tokio::test]
async fn a_header_block_without_an_end_ends_its_connection() {
    let begun = frame(HEADERS, END_STREAM, stream(0), &get_root());
    let more = (0..2_000).map(|_| frame(CONTINUATION, 0, stream(0), &field()));
    let heard = flood(&server(), std::iter::once(begun).chain(more).collect(), pong).await;
    assert!(heard.is_ended, "it goes on after 32 MB of headers");
}

#[tokio::test]
async fn empty_continuations_without_an_end_end_their_connection() {
    let begun = frame(HEADERS, END_STREAM, stream(0), &get_root());
    let more = (0..100_000).map(|_| frame(CONTINUATION, 0, stream(0), &[]));
    let heard = flood(&server(), std::iter::once(begun).chain(more).collect(), pong).await;
    assert!(heard.is_ended, "it goes on after 100,000 of them");
}

#[tokio::test]
async fn headers_beyond_measure_are_refused_and_no_other_stream_suffers() {
    let begun = frame(HEADERS, END_STREAM, stream(0), &get_root());
    let more = frame(CONTINUATION, 0, stream(0), &field());
    let last = frame(CONTINUATION, END_HEADERS, stream(0), &field());
    let next = frame(HEADERS, END_HEADERS | END_STREAM, stream(1), &get_root());
    let heard =
        flood(&server(), vec![begun, more.clone(), more.clone(), more, last, next], |(_, _, of, _)| {
            *of == stream(1)
        })
        .await;
    assert!(!heard.is_ended);
    // 431, or the stream alone is reset.
    assert!(
        heard.frames.iter().any(|(kind, _, of, _)| *of == stream(0) && [HEADERS, RST_STREAM].contains(kind))
    );
}

#[tokio::test]
async fn a_connection_has_a_hundred_streams_and_the_next_ones_are_refused() {
    let opened = |n| frame(HEADERS, END_HEADERS, stream(n), &[POST, ROOT].concat());
    let heard = flood(&server(), (0..1_000).map(opened).collect(), |(_, _, of, _)| *of == stream(999)).await;
    let is_refused = |(kind, _, _, why): &&Frame| *kind == RST_STREAM && *why == REFUSED_STREAM;
    let refused = heard.frames.iter().filter(is_refused).count();
    assert!(heard.is_ended || refused >= 900, "{refused} of 900 were refused");
}

#[tokio::test]
async fn answers_that_nobody_takes_end_their_connection_though_it_answers_pings() {
    let server = server();
    let trusted = server.data().join("tls/localhost.crt");
    let asked = (0..100).map(|n| frame(HEADERS, END_STREAM | END_HEADERS, stream(n), GET_DOCUMENT));
    let start = [PREFACE.to_vec(), window(1)].into_iter();
    let stream = connect(server.address(), &trusted, &TLS13, "h2").await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(stream);
    writing.write_all(&start.chain(asked).collect::<Vec<_>>().concat()).await.unwrap();
    writing.flush().await.unwrap();

    let began = Instant::now();
    let until_ended = async {
        while let Ok((kind, flags, _, payload)) = next(&mut reading).await {
            if kind == PING && flags != ACK {
                // It fails once the node has had enough.
                writing.write_all(&frame(PING, ACK, 0, &payload)).await.ok();
                writing.flush().await.ok();
            }
        }
    };
    timeout(TAKES_NOTHING_MAX, until_ended).await.expect("the connection is ended");
    assert!(began.elapsed() > TAKES_NOTHING_MAX / 3, "whoever is only slow has time");
}
