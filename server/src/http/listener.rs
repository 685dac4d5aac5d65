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
use crate::http::rates::Counted;
use crate::http::{Meters, Proxies, Refusal, Tally, There, connection};
use crate::memory::Memory;

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

/// The parts that the addresses of a node share. Clones are the same.
#[derive(Clone)]
pub struct Common {
    /// The connections of each peer, which are bounded unless the peer is one of the proxies.
    pub connections: Tally,
    /// The sockets, streams and waiting polls that some of them carry.
    pub readers: Tally,
    /// The proxies in front.
    pub proxies: Proxies,
    /// The meters of connections and refusals.
    pub meters: Meters,
    /// The longest pause of a connection between two requests.
    pub pause_max: Duration,
    /// The node's memory: crowds are not let in while it is short.
    pub memory: Memory,
}

impl Common {
    /// Counts a connection from that address, which a proxy may have any number of; or fails when there are too many.
    fn admit(&self, from: IpAddr) -> Result<Option<Counted>, Refusal> {
        if self.proxies.trusts(from) {
            return Ok(None);
        }
        let is_tight = self.memory.is_tight();
        let counted = match is_tight {
            true => self.connections.open_unless_crowded(from, Some(&self.readers)),
            false => self.connections.open(from),
        };
        let refusal = if is_tight { Refusal::Memory } else { Refusal::AddressConnections };
        counted.map(Some).ok_or(refusal).inspect_err(|refusal| self.meters.refused(*refusal))
    }
}

/// A bound address, not yet served.
pub struct Listener {
    listener: TcpListener,
    common: Common,
}

impl Listener {
    /// Binds `address`.
    pub fn bind(address: SocketAddr, common: Common) -> io::Result<Listener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restarted node takes its port again at once, though old connections linger in the kernel.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        socket.bind(address)?;
        Ok(Listener { listener: socket.listen(BACKLOG)?, common })
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
                    let Ok(counted) = self.common.admit(from.ip()) else { continue };
                    let other = OtherSide { peer: Peer(from), pause_max: self.common.pause_max };
                    let meters = self.common.meters.clone();
                    let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
                    connections.spawn(async move {
                        meters.connections.inc();
                        let end = counted.as_ref().map(Counted::end).unwrap_or_default();
                        let held = (counted, There::enter(&meters.connections_open));
                        tokio::select! {
                            biased;
                            () = connection::serve(stream, held, other, router, tls, &meters, stop) => {}
                            () = end.cancelled() => tracing::debug!(peer = %from, "memory is short: a connection was cut"),
                        }
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
