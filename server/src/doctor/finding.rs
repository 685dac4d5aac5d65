//! `Finding`: what is wrong in between, in a sentence, and the line that mends it.

use std::fmt;

use crate::net::authority::Origin;

/// The proxy in front of the node, as its `Server` or `Via` header names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// `Server: nginx`.
    Nginx,
    /// `Server: Caddy`.
    Caddy,
    /// Another one, or none; HAProxy keeps to itself.
    Unknown,
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The node is asked under another name.
    HostRewritten {
        /// The value that a browser sends.
        sent: String,
        /// The value that the node gets.
        arrived: String,
    },
    /// The same name, without its port.
    PortLost {
        /// The value that a browser sends.
        sent: String,
        /// The value that the node gets.
        arrived: String,
    },
    /// The page seems to come from elsewhere.
    OriginRewritten {
        /// The value that a browser sends.
        sent: Origin,
        /// The value that the node gets.
        arrived: String,
    },
    /// The node refuses its own page, for another reason.
    OriginRefused {
        /// Why, in the node's words.
        detail: String,
    },
    /// Nothing but requests and whole answers comes through.
    Http10,
    /// No socket comes through.
    NoUpgrade,
    /// A socket was answered otherwise.
    SocketRefused {
        /// The status and what came with it.
        answer: String,
    },
    /// Neither a socket nor a stream begins: the proxy waits for the end of what has none.
    WaitsForTheEnd,
    /// A stream does not begin.
    HoldsStreamsBack {
        /// True if the proxy keeps back the node's own streams too, in spite of their headers.
        ours_too: bool,
    },
    /// A stream's events arrive late.
    CompressesStreams {
        /// True if the proxy compresses the node's own streams too, in spite of their headers.
        ours_too: bool,
    },
    /// A request that waits is broken off.
    GivesUp {
        /// After how long.
        secs: u64,
    },
    /// A socket on which nothing happens is broken off.
    CutsSilentSockets {
        /// After how long.
        secs: u64,
    },
    /// The node does not learn who asks.
    NotForwarded,
    /// The node learns it, and may not believe it.
    NotTrusted,
    /// Connections to the node are kept for longer than the node keeps them.
    KeepsConnections {
        /// The node's `--keep-alive-secs`.
        node_secs: u32,
    },
    /// The node itself says that it is not ready.
    NotReady {
        /// Why.
        reasons: String,
    },
    /// Something else failed.
    Failed {
        /// A sentence with the request and its outcome.
        what: String,
    },
}

impl Finding {
    /// True if something does not work, or may fail any time. False for advice: it works, thanks to the node's own
    /// precautions.
    pub fn is_problem(&self) -> bool {
        !matches!(
            self,
            Finding::PortLost { .. }
                | Finding::HoldsStreamsBack { ours_too: false }
                | Finding::CompressesStreams { ours_too: false }
        )
    }

    /// The lines to change: those of the proxy in question and of the node, or of each proxy that it may be.
    pub fn lines(&self, proxy: Proxy) -> Vec<String> {
        let all = self.all_lines();
        let of =
            |name: &str| all.iter().filter(|(of, _)| *of == name).map(|(_, line)| line.clone()).collect();
        let own: Vec<String> = match proxy {
            Proxy::Nginx => of("nginx"),
            Proxy::Caddy => of("Caddy"),
            Proxy::Unknown => Vec::new(),
        };
        if !own.is_empty() {
            let at_the_node = all.iter().filter(|(of, _)| of.ends_with("this node"));
            return own
                .into_iter()
                .chain(at_the_node.map(|(name, line)| format!("{name}: {line}")))
                .collect();
        }
        all.iter().map(|(name, line)| format!("{name}: {line}")).collect()
    }

    fn all_lines(&self) -> Vec<(&'static str, String)> {
        let lines: &[(&str, &str)] = match self {
            Finding::HostRewritten { .. } => &[
                ("nginx", "proxy_set_header Host $http_host;"),
                ("HAProxy", "remove `http-request set-header Host …`"),
                ("Caddy", "remove `header_up Host …`"),
                ("or this node", "start it with --public-url"),
            ],
            Finding::PortLost { .. } => &[("nginx", "proxy_set_header Host $http_host;")],
            Finding::OriginRewritten { .. } => &[
                ("Caddy", "remove `header_up Origin …`"),
                ("nginx", "remove `proxy_set_header Origin …;`"),
                ("HAProxy", "remove `http-request set-header Origin …`"),
            ],
            Finding::OriginRefused { .. } => &[("this node", "start it with --public-url")],
            Finding::Http10 => &[("nginx", "proxy_http_version 1.1;")],
            Finding::NoUpgrade | Finding::SocketRefused { .. } => &[
                ("nginx", "proxy_set_header Upgrade $http_upgrade;"),
                ("nginx", "proxy_set_header Connection $connection_upgrade;"),
                (
                    "nginx",
                    "and outside of `server`: map $http_upgrade $connection_upgrade { default upgrade; '' \"\"; }",
                ),
                ("others", "let `Upgrade` and `Connection` pass"),
            ],
            Finding::WaitsForTheEnd => &[
                ("Caddy", "remove `buffer_responses` and `response_buffers …`"),
                ("nginx", "proxy_buffering off;"),
                ("others", "send on each part of an answer as it comes"),
            ],
            Finding::HoldsStreamsBack { .. } => &[
                ("nginx", "proxy_buffering off;"),
                ("Caddy", "flush_interval -1"),
                ("others", "send on each part of an answer as it comes"),
            ],
            Finding::CompressesStreams { .. } => &[
                (
                    "HAProxy",
                    "compression type text/html text/css application/json, without text/event-stream",
                ),
                ("nginx", "gzip_types without text/event-stream"),
                ("Caddy", "encode for other types than text/event-stream"),
            ],
            Finding::GivesUp { .. } => &[
                ("nginx", "proxy_read_timeout 75s;"),
                ("HAProxy", "timeout server 75s, and timeout client 75s"),
                ("others", "wait 75 s for an answer"),
            ],
            Finding::CutsSilentSockets { .. } => &[
                ("HAProxy", "timeout tunnel 1h"),
                ("nginx", "proxy_read_timeout 75s;"),
                ("others", "let a socket be silent for 75 s"),
            ],
            Finding::NotForwarded => &[
                ("nginx", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"),
                ("HAProxy", "option forwardfor"),
                ("others", "write the caller's address into X-Forwarded-For"),
            ],
            Finding::NotTrusted => &[("this node", "start it with --trusted-proxy and the proxy's address")],
            Finding::KeepsConnections { node_secs } => {
                let shorter = node_secs / 2;
                return vec![
                    ("HAProxy", format!("option http-server-close, or pool-purge-delay {shorter}s")),
                    ("Caddy", format!("transport http {{ keepalive {shorter}s }}")),
                    ("nginx", format!("keepalive_timeout {shorter}s; in `upstream`")),
                    ("or this node", "start it with a larger --keep-alive-secs".into()),
                ];
            }
            Finding::NotReady { .. } | Finding::Failed { .. } => &[],
        };
        lines.iter().map(|(proxy, line)| (*proxy, (*line).to_owned())).collect()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::HostRewritten { sent, arrived } => {
                write!(f, "Host: a browser sends {sent:?} and {arrived:?} arrives; the proxy replaces it")
            }
            Finding::PortLost { sent, arrived } => {
                write!(f, "Host: a browser sends {sent:?} and {arrived:?} arrives; the proxy drops the port")
            }
            Finding::OriginRewritten { sent, arrived } => {
                write!(f, "Origin: a browser sends \"{sent}\" and {arrived:?} arrives; the proxy replaces it")
            }
            Finding::OriginRefused { detail } => write!(f, "Origin: the node refuses its own page: {detail}"),
            Finding::Http10 => write!(
                f,
                "HTTP: the proxy speaks HTTP/1.0 to the node, which has neither sockets nor streams"
            ),
            Finding::NoUpgrade => {
                write!(f, "socket: the proxy does not pass the upgrade on; pages will poll instead")
            }
            Finding::SocketRefused { answer } => {
                write!(f, "socket: it is answered with {answer}; pages will poll")
            }
            Finding::WaitsForTheEnd => write!(
                f,
                "buffering: the proxy waits for the end of each answer, and sockets and streams have none"
            ),
            Finding::HoldsStreamsBack { ours_too } => {
                write!(f, "streams: the proxy holds them back until much has come{}", spared(*ours_too))
            }
            Finding::CompressesStreams { ours_too } => write!(
                f,
                "streams: the proxy compresses them, and the end of each event waits for the next one{}",
                spared(*ours_too)
            ),
            Finding::GivesUp { secs } => write!(
                f,
                "waiting: the proxy gives up on a request that waits after {secs} s; pages ask for 25 s at a time"
            ),
            Finding::CutsSilentSockets { secs } => write!(
                f,
                "socket: the proxy cuts one on which nothing came for {secs} s; the node beats more seldom"
            ),
            Finding::NotForwarded => write!(
                f,
                "addresses: the proxy does not say whom it asks for, or lets anybody say it: limits count all as one, or \
                 none"
            ),
            Finding::NotTrusted => write!(
                f,
                "addresses: the node does not know the proxy, so that all behind it count as one address"
            ),
            Finding::KeepsConnections { node_secs } => write!(
                f,
                "keep-alive: the proxy keeps connections for as long as the node, {node_secs} s, or longer: some request \
                 will meet one that just closes, and be answered with 502"
            ),
            Finding::NotReady { reasons } => write!(f, "the node is not ready: {reasons}"),
            Finding::Failed { what } => f.write_str(what),
        }
    }
}

/// The findings without those that another one explains, and each once.
pub fn causes(findings: Vec<Finding>) -> Vec<Finding> {
    let has = |is: fn(&Finding) -> bool| findings.iter().any(is);
    let waits = has(|finding| matches!(finding, Finding::WaitsForTheEnd));
    let rewrites =
        has(|finding| matches!(finding, Finding::HostRewritten { .. } | Finding::OriginRewritten { .. }));
    let is_explained = |finding: &Finding| match finding {
        Finding::HoldsStreamsBack { .. } | Finding::CompressesStreams { .. } => waits,
        Finding::OriginRefused { .. } => rewrites,
        _ => false,
    };
    let mut causes: Vec<Finding> = Vec::new();
    for finding in findings.iter().filter(|finding| !is_explained(finding)) {
        if !causes.contains(finding) {
            causes.push(finding.clone());
        }
    }
    causes
}

fn spared(ours_too: bool) -> &'static str {
    if ours_too { "" } else { "; the node's own are spared, since their headers say so" }
}
