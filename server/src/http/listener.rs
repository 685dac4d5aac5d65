//! The accept loop: from an address to connections.
//!
//! Our own, because every connection needs a deadline for its first bytes and a tally by address, and because the
//! kernel must not hide a stalled reader behind megabytes of send buffer.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Extensions;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::connection::OtherSide;
use crate::http::{Meters, Proxies, Refusal, Tally, There, connection};

/// What the kernel keeps for a reader that does not read. The default grows to megabytes for each of them.
const SEND_BUFFER_BYTES: u32 = 64 * 1_024;
/// Bytes that the kernel keeps of a sender that is read slowly; its own default grows to megabytes.
const RECEIVE_BUFFER_BYTES: u32 = 64 * 1_024;
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
    pub fn of(extensions: &Extensions) -> Peer {
        let known = extensions.get::<ConnectInfo<Peer>>();
        known.map_or(Peer(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))), |ConnectInfo(peer)| *peer)
    }
}

/// A bound address, not yet served.
pub struct Listener {
    listener: TcpListener,
    tally: Tally,
    proxies: Proxies,
    meters: Meters,
    pause_max: Duration,
}

impl Listener {
    /// Binds `address`; `tally` bounds the connections of each peer that is none of `proxies`, and each may pause for
    /// so long between two requests.
    pub fn bind(
        address: SocketAddr,
        tally: Tally,
        proxies: Proxies,
        meters: Meters,
        pause_max: Duration,
    ) -> io::Result<Listener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restarted node takes its port again at once, though old connections linger in the kernel.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        socket.bind(address)?;
        Ok(Listener { listener: socket.listen(BACKLOG)?, tally, proxies, meters, pause_max })
    }

    /// The address, with the real port where 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, with `tls` where there is one; then accepts no more, and returns once the requests in
    /// flight are answered.
    pub async fn serve(self, router: Router, tls: Option<Arc<ServerConfig>>, stop: CancellationToken) {
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
                    let counted = self.tally.open(from.ip());
                    let other = OtherSide { peer: Peer(from), pause_max: self.pause_max };
                    if counted.is_none() && !self.proxies.trusts(from.ip()) {
                        self.meters.refused(Refusal::AddressConnections);
                        continue;
                    }
                    let meters = self.meters.clone();
                    let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
                    connections.spawn(async move {
                        meters.connections.inc();
                        let held = (counted, There::enter(&meters.connections_open));
                        connection::serve(stream, held, other, router, tls, &meters, stop).await;
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
