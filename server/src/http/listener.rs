//! The accept loop: from a TCP connection to requests.
//!
//! Our own, because every connection needs a deadline for its first bytes and a tally by address, and because the
//! kernel must not hide a stalled reader behind megabytes of send buffer.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::http::request::Parts;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::http::Tally;

/// A head must be complete this long after its connection began, or after the request before it.
const HEAD_WITHIN: Duration = Duration::from_secs(20);
/// What the kernel keeps for a reader that does not read. The default grows to megabytes for each of them.
const SEND_BUFFER_BYTES: u32 = 64 * 1_024;
/// A connection whose other side takes nothing for this long is ended by the kernel. A socket's own deadline is
/// shorter; this one is for streams and bodies, which are not even asked while nothing can be written.
#[cfg(target_os = "linux")]
const TAKES_WITHIN: Duration = Duration::from_secs(60);
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;
/// Pause after the system refused to accept, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The address.
    pub fn ip(self) -> IpAddr {
        self.0.ip()
    }

    /// The peer of a request, which the accept loop put there.
    pub fn of(parts: &Parts) -> Peer {
        let known = parts.extensions.get::<ConnectInfo<Peer>>();
        known.map_or(Peer(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))), |ConnectInfo(peer)| *peer)
    }
}

/// A bound address, not yet served.
pub struct Listener {
    listener: TcpListener,
    tally: Tally,
}

impl Listener {
    /// Binds `address`; `tally` bounds the connections of each peer.
    pub fn bind(address: SocketAddr, tally: Tally) -> io::Result<Listener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restarted node takes its port again at once, though old connections linger in the kernel.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.bind(address)?;
        Ok(Listener { listener: socket.listen(BACKLOG)?, tally })
    }

    /// The address, with the real port where 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`; then accepts no more, and returns once the requests in flight are answered.
    pub async fn serve(self, router: Router, stop: CancellationToken) {
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, from)) => {
                    // Dropping the stream closes it.
                    let Some(counted) = self.tally.open(from.ip()) else { continue };
                    let served = serve_connection(stream, Peer(from), router.clone(), stop.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(counted);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(self.listener);
        connections.close();
        connections.wait().await;
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // A pushed frame must not wait for the answer to the one before it.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(TAKES_WITHIN))?;
    Ok(())
}

async fn serve_connection(stream: TcpStream, peer: Peer, router: Router, stop: CancellationToken) {
    if let Err(error) = prepare(&stream) {
        tracing::debug!(%error, "a connection ended before it was served");
        return;
    }
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %peer.0, "a connection ended");
    }
}
