//! One connection, from its first byte to its last: TLS if there is any, then HTTP/1.1 or HTTP/2.
//!
//! Every step has a timeout. A connection that is slow on purpose (nothing sent, one byte, half a handshake, half a
//! head) is closed after the same time as one that was lost.

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

use crate::http::guard::client_ip::Peer;
use crate::net::request_heads::RequestHeads;
use crate::net::stuck_bodies::StuckBodies;
use crate::telemetry::edge_metrics::EdgeMetrics;

/// The time for a handshake, and for a request head after its first byte or after its connection began.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// The time after which a connection is ended whose remote side takes nothing: by the kernel or, if only one answer in it
/// is stuck, by us. A socket has a shorter timeout of its own; this one is for streams and bodies, which are not even
/// polled while nothing can be written.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// The silence after which an HTTP/2 connection is pinged.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Requests at a time on one HTTP/2 connection; a browser sends no more.
const STREAMS_MAX: u32 = 100;
/// Bytes of all header fields of a request. For HTTP/1.1 it also bounds what is read ahead.
const HEADER_BYTES_MAX: u32 = 32 * 1_024;
/// The HTTP/2 windows: bytes that a client may send ahead of a handler, for one body and for a connection.
const STREAM_BYTES_AHEAD: u32 = 64 * 1_024;
const CONNECTION_BYTES_AHEAD: u32 = 64 * 1_024;
/// Bytes of one HTTP/2 answer that wait in memory to be sent.
const ANSWER_BYTES_AHEAD: usize = 64 * 1_024;

/// The remote side of a connection.
#[derive(Clone, Copy)]
pub struct Remote {
    /// Its address.
    pub peer: Peer,
    /// The longest pause between two requests.
    pub pause_max: Duration,
}

/// The pause of an HTTP/1.1 connection before a request: since its last answer ended, or since it was opened. Each request
/// carries it as an extension.
#[derive(Debug, Clone, Copy)]
pub struct PauseBefore(pub Duration);

/// Serves the connection until one side ends it. After `stop` it ends with the requests under way. `held` is kept for as
/// long as the stream is open, even after a WebSocket has taken it over.
pub async fn serve(
    stream: TcpStream,
    held: impl Send + Unpin + 'static,
    remote: Remote,
    router: Router,
    tls: Option<Arc<ServerConfig>>,
    metrics: &EdgeMetrics,
    stop: CancellationToken,
) {
    let served = match (prepare(&stream), tls) {
        (Err(error), _) => Err(error.into()),
        (Ok(()), None) => http1(holding(stream, held), remote, router, stop).await,
        (Ok(()), Some(tls)) => match handshake(stream, tls, metrics).await {
            Ok(Ok(stream)) => match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => http2(holding(stream, held), remote, router, stop).await,
                Some(b"http/1.1") | None => http1(holding(stream, held), remote, router, stop).await,
                // An ACME authority, which only wanted to see the certificate.
                Some(_) => Ok(()),
            },
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err("the handshake took too long".into()),
        },
    };
    if let Err(error) = served {
        tracing::debug!(%error, peer = %remote.peer.0, "a connection ended");
    }
}

type Handshake = Result<io::Result<TlsStream<TcpStream>>, Elapsed>;

async fn handshake(stream: TcpStream, tls: Arc<ServerConfig>, metrics: &EdgeMetrics) -> Handshake {
    let handshake = timeout(HEAD_TIMEOUT, TlsAcceptor::from(tls).accept(stream)).await;
    metrics.handshake(if matches!(handshake, Ok(Ok(_))) { "ok" } else { "failed" });
    handshake
}

/// Wraps a stream so that it drops `held` when it is dropped itself.
fn holding<S>(stream: S, held: impl Send + Unpin) -> InspectReader<S, impl FnMut(&[u8]) + Send + Unpin>
where
    S: AsyncRead + AsyncWrite,
{
    InspectReader::new(stream, move |_: &[u8]| _ = &held)
}

type Served = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // A pushed frame must not wait for the acknowledgement of the one before it.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(SEND_TIMEOUT))?;
    Ok(())
}

async fn http1<S>(stream: S, remote: Remote, router: Router, stop: CancellationToken) -> Served
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heads = RequestHeads::default();
    let asked = heads.clone();
    let answered = heads.clone();
    let service = router
        .map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(PauseBefore(asked.on_head()));
            with_peer(remote.peer, request)
        })
        .map_response(move |answer: Response<Body>| answered.track_answer(answer));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(remote.pause_max)
        .max_buf_size(HEADER_BYTES_MAX as usize)
        .serve_connection(TokioIo::new(heads.track_stream(stream)), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let stuck = heads.stuck(HEAD_TIMEOUT);
    tokio::pin!(stuck);
    tokio::select! {
        ended = &mut connection => return Ok(ended?),
        () = &mut stuck => return Err("a request head took too long".into()),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = connection => Ok(ended?),
        () = stuck => Err("a request head took too long".into()),
    }
}

/// Serves HTTP/2. The library has no timeout for the first request or for the next one, so requests are counted here.
async fn http2<S>(stream: S, remote: Remote, router: Router, stop: CancellationToken) -> Served
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let requests = Arc::new(AtomicU64::new(0));
    let bodies = StuckBodies::default();
    let counted = requests.clone();
    let tracked = bodies.clone();
    let service = router
        .map_request(move |request| {
            counted.fetch_add(1, Ordering::Relaxed);
            with_peer(remote.peer, request)
        })
        .map_response(move |answer| tracked.track(answer));
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
    let stuck = bodies.stuck(SEND_TIMEOUT);
    tokio::pin!(stuck);
    tokio::select! {
        ended = &mut connection => return Ok(ended?),
        () = &mut stuck => return Err("an answer was not taken".into()),
        reason = idle(&requests, remote.pause_max) => reason?,
        () = stop.cancelled() => {}
    }
    // Requests under way go on to their end, even a socket or a stream of hours.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => Ok(ended?),
        () = stuck => Err("an answer was not taken".into()),
    }
}

/// Returns once no request has come for a while; fails if none ever came.
async fn idle(requests: &AtomicU64, pause_max: Duration) -> Served {
    sleep(HEAD_TIMEOUT).await;
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

fn with_peer(peer: Peer, mut request: Request<Incoming>) -> Request<Incoming> {
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}
