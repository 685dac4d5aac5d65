//! The accept loop: from an address to connections.
//!
//! Our own, because every connection needs a deadline for its first bytes and a tally by address, and because the
//! kernel must not hide a stalled reader behind megabytes of send buffer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::guard::client_ip::{Peer, Proxies};
use crate::http::guard::rates::{AddressSlot, Tally};
use crate::memory::Memory;
use crate::net::connection::{self, Remote};
use crate::telemetry::edge_metrics::{EdgeMetrics, GaugeGuard, Refusal};

/// Bytes that the kernel keeps for a reader that does not read. The default grows to megabytes for each of them.
const SEND_BUFFER_BYTES: u32 = 64 * 1_024;
/// Bytes that the kernel keeps of a sender that is read slowly. The default grows to megabytes.
const RECEIVE_BUFFER_BYTES: u32 = 64 * 1_024;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;
/// The pause after the system could not accept, as when file descriptors run out.
const PAUSE: Duration = Duration::from_millis(100);

/// The parts that all listeners of a node share. Clones are the same.
#[derive(Clone)]
pub struct ListenerDeps {
    /// The connections of each peer, which are bounded unless it is a trusted proxy.
    pub connections: Tally,
    /// The sockets, streams and waiting polls that some of them carry.
    pub readers: Tally,
    /// The trusted proxies in front.
    pub proxies: Proxies,
    /// The metrics of connections and refusals.
    pub metrics: EdgeMetrics,
    /// The longest pause of a connection between two requests.
    pub pause_max: Duration,
    /// The node's memory: crowds are refused while it is short.
    pub memory: Memory,
}

impl ListenerDeps {
    /// Counts a connection from that address; `None` for a trusted proxy, which may have any number. Fails if there are
    /// too many.
    fn admit(&self, from: IpAddr) -> Result<Option<AddressSlot>, Refusal> {
        if self.proxies.trusts(from) {
            return Ok(None);
        }
        let is_tight = self.memory.is_tight();
        let (slot, refusal) = if is_tight {
            (self.connections.open_unless_crowded(from, Some(&self.readers)), Refusal::Memory)
        } else {
            (self.connections.open(from), Refusal::AddressConnections)
        };
        slot.map(Some).ok_or(refusal).inspect_err(|refusal| self.metrics.refused(*refusal))
    }
}

/// A bound address, not yet served.
pub struct Listener {
    listener: TcpListener,
    deps: ListenerDeps,
}

impl Listener {
    /// Binds `address`.
    pub fn bind(address: SocketAddr, deps: ListenerDeps) -> io::Result<Listener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restarted node takes its port again at once, although old connections linger in the kernel.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        socket.bind(address)?;
        Ok(Listener { listener: socket.listen(BACKLOG)?, deps })
    }

    /// The address, with the real port if 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, with TLS if `tls` is given; then accepts no more, and returns once the requests under way are
    /// answered.
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
                    let Ok(slot) = self.deps.admit(from.ip()) else { continue };
                    let remote = Remote { peer: Peer(from), pause_max: self.deps.pause_max };
                    let metrics = self.deps.metrics.clone();
                    let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
                    connections.spawn(async move {
                        metrics.connections.inc();
                        let end = slot.as_ref().map(AddressSlot::end).unwrap_or_default();
                        let held = (slot, GaugeGuard::enter(&metrics.connections_open));
                        tokio::select! {
                            biased;
                            () = connection::serve(stream, held, remote, router, tls, &metrics, stop) => {}
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
