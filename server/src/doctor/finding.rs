//! `Finding`: a cause of trouble between browsers and the node, in one sentence.

use axum::http::HeaderMap;
use axum::http::header::{SERVER, VIA};

use crate::net::authority::Origin;

/// The proxy in front of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// nginx.
    Nginx,
    /// Caddy.
    Caddy,
    /// Another proxy, or none. HAProxy does not identify itself.
    Unknown,
}

impl Proxy {
    /// Reads the proxy's name from the `Server` and `Via` headers of a response.
    pub fn from_headers(headers: &HeaderMap) -> Proxy {
        let names = [SERVER, VIA].iter().filter_map(|name| headers.get(name)?.to_str().ok());
        let names = names.collect::<String>().to_ascii_lowercase();
        if names.contains("nginx") {
            Proxy::Nginx
        } else if names.contains("caddy") {
            Proxy::Caddy
        } else {
            Proxy::Unknown
        }
    }
}

/// One cause of trouble.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The proxy replaces `Host`.
    #[error("Host: a browser sends {sent:?}, but {arrived:?} reaches the node: the proxy replaces it")]
    HostRewritten {
        /// The value that a browser sends.
        sent: String,
        /// The value that the node receives.
        arrived: String,
    },
    /// The proxy removes the port from `Host`.
    #[error("Host: a browser sends {sent:?}, but {arrived:?} reaches the node: the proxy drops the port")]
    PortDropped {
        /// The value that a browser sends.
        sent: String,
        /// The value that the node receives.
        arrived: String,
    },
    /// The proxy replaces `Origin`, so the page seems to come from elsewhere.
    #[error("Origin: a browser sends \"{sent}\", but {arrived:?} reaches the node: the proxy replaces it")]
    OriginRewritten {
        /// The value that a browser sends.
        sent: Origin,
        /// The value that the node receives.
        arrived: String,
    },
    /// The node refuses its own page for another reason.
    #[error("Origin: the node refuses its own page: {detail}")]
    OriginRefused {
        /// The node's reason.
        detail: String,
    },
    /// The proxy uses HTTP/1.0, which carries only requests and complete responses.
    #[error("HTTP: the proxy speaks HTTP/1.0 to the node, but sockets and streams need HTTP/1.1")]
    Http10,
    /// The proxy removes the request to upgrade to a WebSocket.
    #[error("socket: the proxy does not forward the WebSocket upgrade; pages will poll instead")]
    UpgradeDropped,
    /// A socket's handshake got another response.
    #[error("socket: the handshake returned {response}; pages will poll instead")]
    SocketRefused {
        /// The status and the detail.
        response: String,
    },
    /// The proxy buffers every response, so neither a socket nor a stream ever begins.
    #[error("buffering: the proxy waits for the end of each response, but sockets and streams have none")]
    ResponsesBuffered,
    /// The proxy buffers a stream.
    #[error("streams: the proxy buffers them, so events arrive late or never{}", exemption(.own_streams_too))]
    StreamsBuffered {
        /// True if the proxy also buffers the node's own streams, whose headers forbid it.
        own_streams_too: bool,
    },
    /// The proxy compresses a stream.
    #[error(
        "streams: the proxy compresses them, so the end of each event waits for the next one{}",
        exemption(.own_streams_too)
    )]
    StreamsCompressed {
        /// True if the proxy also compresses the node's own streams, whose headers forbid it.
        own_streams_too: bool,
    },
    /// The proxy ends a long poll before the node answers it.
    #[error("long polls: the proxy ends a waiting request after {secs} s, but pages wait for up to 25 s")]
    LongPollsEnded {
        /// The proxy's timeout.
        secs: u64,
    },
    /// The proxy closes a socket between two heartbeats.
    #[error("socket: the proxy closes idle sockets after {secs} s, before the node's next heartbeat")]
    IdleSocketsClosed {
        /// The proxy's timeout.
        secs: u64,
    },
    /// The proxy does not forward the client's address.
    #[error(
        "addresses: the proxy does not report the client's address, or lets clients forge it: limits count all clients as \
         one, or none"
    )]
    NotForwarded,
    /// The proxy forwards the client's address, but the node does not believe it.
    #[error("addresses: the node does not trust the proxy, so all clients behind it count as one address")]
    NotTrusted,
    /// The proxy keeps connections to the node longer than the node does.
    #[error(
        "keep-alive: the proxy keeps idle connections to the node for {node_secs} s or longer, as long as the node does: \
         some requests will meet a connection that is just being closed, and fail with 502"
    )]
    ConnectionsKeptTooLong {
        /// The node's `--keep-alive-secs`.
        node_secs: u32,
    },
    /// The node reports that it is not ready.
    #[error("the node is not ready: {reasons}")]
    NotReady {
        /// The node's reasons.
        reasons: String,
    },
    /// A check could not be completed: a sentence with the request and its outcome.
    #[error("{0}")]
    CheckFailed(String),
}

impl Finding {
    /// True if something does not work or may fail at any time. False for advice: everything works, thanks to precautions
    /// of the node.
    pub fn is_problem(&self) -> bool {
        !matches!(
            self,
            Finding::PortDropped { .. }
                | Finding::StreamsBuffered { own_streams_too: false }
                | Finding::StreamsCompressed { own_streams_too: false }
        )
    }
}

/// Returns the findings without duplicates and without those that another finding explains.
pub fn causes(findings: Vec<Finding>) -> Vec<Finding> {
    let has_buffering = findings.contains(&Finding::ResponsesBuffered);
    let has_rewriting = findings
        .iter()
        .any(|finding| matches!(finding, Finding::HostRewritten { .. } | Finding::OriginRewritten { .. }));
    let mut causes: Vec<Finding> = Vec::new();
    for finding in findings {
        let is_explained = match &finding {
            Finding::StreamsBuffered { .. } | Finding::StreamsCompressed { .. } => has_buffering,
            Finding::OriginRefused { .. } => has_rewriting,
            _ => false,
        };
        if !is_explained && !causes.contains(&finding) {
            causes.push(finding);
        }
    }
    causes
}

fn exemption(own_streams_too: &bool) -> &'static str {
    if *own_streams_too { "" } else { "; the node's own streams are exempt, because their headers forbid it" }
}
