//! One connection, from its first byte to its last: TLS where it is spoken, then HTTP/1.1 or HTTP/2.
//!
//! Every step has a deadline. What is slow on purpose (nothing sent, one byte, half a handshake, half a head) is
//! closed after the same time as what is just lost.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::io::InspectReader;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::http::reading::Reading;
use crate::http::takers::Takers;
use crate::http::{Meters, Peer};

/// A handshake must be complete after this long, and so must a head after its first byte, or after its connection
/// began.
const HEAD_WITHIN: Duration = Duration::from_secs(20);
/// A connection whose other side takes nothing for this long is ended, by the kernel or, where only an answer inside
/// of it is stuck, by us. A socket's own deadline is shorter; this one is for streams and bodies, which are not even
/// asked while nothing can be written.
const TAKES_WITHIN: Duration = Duration::from_secs(60);
/// An HTTP/2 connection that is silent for this long is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Requests at a time on one HTTP/2 connection; a browser sends no more.
const STREAMS_MAX: u32 = 100;
/// All header fields of a request together. Of HTTP/1.1 it is also what is read ahead.
const HEADER_BYTES_MAX: u32 = 32 * 1_024;
/// The HTTP/2 windows: bytes that the other side may send ahead of a handler, for one body and for a connection.
const STREAM_BYTES_AHEAD: u32 = 64 * 1_024;
const CONNECTION_BYTES_AHEAD: u32 = 64 * 1_024;
/// Bytes of one HTTP/2 answer that wait in memory to be sent.
const ANSWER_BYTES_AHEAD: usize = 64 * 1_024;

/// The other side of a connection, and how long it may pause.
#[derive(Clone, Copy)]
pub struct OtherSide {
    /// Its address.
    pub peer: Peer,
    /// The longest pause between two requests.
    pub pause_max: Duration,
}

/// The state of an HTTP/1.1 connection before a request, which each request carries as an extension.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// The pause since its last answer ended, or since it was opened.
    pub paused: Duration,
}

/// Serves the connection until one side ends it; after `stop` it ends with the requests that are in flight. `held` is
/// kept for as long as the stream is open, also when a socket has taken it over.
pub async fn serve(
    stream: TcpStream,
    held: impl Send + Unpin + 'static,
    other: OtherSide,
    router: Router,
    tls: Option<Arc<ServerConfig>>,
    meters: &Meters,
    stop: CancellationToken,
) {
    let served = match (prepare(&stream), tls) {
        (Err(error), _) => Err(error.into()),
        (Ok(()), None) => http1(holding(stream, held), other, router, stop).await,
        (Ok(()), Some(tls)) => match handshake(stream, tls, meters).await {
            Ok(Ok(stream)) => match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => http2(holding(stream, held), other, router, stop).await,
                Some(b"http/1.1") | None => http1(holding(stream, held), other, router, stop).await,
                // An authority, which has seen what it wanted to see.
                Some(_) => Ok(()),
            },
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err("the handshake took too long".into()),
        },
    };
    if let Err(error) = served {
        tracing::debug!(%error, peer = %other.peer.0, "a connection ended");
    }
}

type Shaken = Result<io::Result<TlsStream<TcpStream>>, Elapsed>;

async fn handshake(stream: TcpStream, tls: Arc<ServerConfig>, meters: &Meters) -> Shaken {
    let shaken = timeout(HEAD_WITHIN, TlsAcceptor::from(tls).accept(stream)).await;
    meters.handshake(if matches!(shaken, Ok(Ok(_))) { "ok" } else { "failed" });
    shaken
}

/// A stream that drops `held` when it is dropped itself.
fn holding<S>(stream: S, held: impl Send + Unpin) -> InspectReader<S, impl FnMut(&[u8]) + Send + Unpin>
where
    S: AsyncRead + AsyncWrite,
{
    InspectReader::new(stream, move |_: &[u8]| _ = &held)
}

type Served = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // A pushed frame must not wait for the answer to the one before it.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(TAKES_WITHIN))?;
    Ok(())
}

async fn http1<S>(stream: S, other: OtherSide, router: Router, stop: CancellationToken) -> Served
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let reading = Reading::default();
    let (asked, answered) = (reading.clone(), reading.clone());
    let service = router
        .map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Before { paused: asked.asked() });
            from(other.peer, request)
        })
        .map_response(move |answer: Response<Body>| answered.until_answered(answer));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(other.pause_max)
        .max_buf_size(HEADER_BYTES_MAX as usize)
        .serve_connection(TokioIo::new(reading.watch(stream)), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let stuck = reading.stuck(HEAD_WITHIN);
    tokio::pin!(stuck);
    tokio::select! {
        ended = &mut connection => return Ok(ended?),
        () = &mut stuck => return Err("a head took too long".into()),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = connection => Ok(ended?),
        () = stuck => Err("a head took too long".into()),
    }
}

/// The library has no deadline for the first request, nor for the next one, so the requests are counted here.
async fn http2<S>(stream: S, other: OtherSide, router: Router, stop: CancellationToken) -> Served
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (requests, takers) = (Arc::new(AtomicU64::new(0)), Takers::default());
    let (counted, watching) = (requests.clone(), takers.clone());
    let service = router
        .map_request(move |request| {
            counted.fetch_add(1, Ordering::Relaxed);
            from(other.peer, request)
        })
        .map_response(move |answer| watching.watch(answer));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
        .initial_stream_window_size(STREAM_BYTES_AHEAD)
        .initial_connection_window_size(CONNECTION_BYTES_AHEAD)
        .max_send_buf_size(ANSWER_BYTES_AHEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let stuck = takers.stuck(TAKES_WITHIN);
    tokio::pin!(stuck);
    tokio::select! {
        ended = &mut connection => return Ok(ended?),
        () = &mut stuck => return Err("an answer was not taken".into()),
        reason = idle(&requests, other.pause_max) => reason?,
        () = stop.cancelled() => {}
    }
    // What is under way goes on to its end, also a socket or a stream of hours.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => Ok(ended?),
        () = stuck => Err("an answer was not taken".into()),
    }
}

/// Returns when no request came for a while, with an error when none ever did.
async fn idle(requests: &AtomicU64, pause_max: Duration) -> Served {
    sleep(HEAD_WITHIN).await;
    let mut before = requests.load(Ordering::Relaxed);
    if before == 0 {
        return Err("no request came".into());
    }
    loop {
        sleep(pause_max).await;
        match requests.load(Ordering::Relaxed) {
            now if now == before => return Ok(()),
            now => before = now,
        }
    }
}

fn from(peer: Peer, mut request: Request<Incoming>) -> Request<Incoming> {
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}
