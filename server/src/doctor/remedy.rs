//! The lines of configuration that mend a finding.

use crate::doctor::finding::{Finding, Proxy};

/// A line to change, behind the place where it belongs: a proxy or the node.
type Remedy = (&'static str, &'static str);

const HOST_REWRITTEN: &[Remedy] = &[
    ("nginx", "proxy_set_header Host $http_host;"),
    ("HAProxy", "remove `http-request set-header Host …`"),
    ("Caddy", "remove `header_up Host …`"),
    ("or this node", "start it with --public-url"),
];
const PORT_DROPPED: &[Remedy] = &[("nginx", "proxy_set_header Host $http_host;")];
const ORIGIN_REWRITTEN: &[Remedy] = &[
    ("Caddy", "remove `header_up Origin …`"),
    ("nginx", "remove `proxy_set_header Origin …;`"),
    ("HAProxy", "remove `http-request set-header Origin …`"),
];
const ORIGIN_REFUSED: &[Remedy] = &[("this node", "start it with --public-url")];
const HTTP_10: &[Remedy] = &[("nginx", "proxy_http_version 1.1;")];
const UPGRADE_DROPPED: &[Remedy] = &[
    ("nginx", "proxy_set_header Upgrade $http_upgrade;"),
    ("nginx", "proxy_set_header Connection $connection_upgrade;"),
    ("nginx", "and outside of `server`: map $http_upgrade $connection_upgrade { default upgrade; '' \"\"; }"),
    ("others", "let `Upgrade` and `Connection` pass"),
];
const RESPONSES_BUFFERED: &[Remedy] = &[
    ("Caddy", "remove `buffer_responses` and `response_buffers …`"),
    ("nginx", "proxy_buffering off;"),
    ("others", "send on each part of an answer as it comes"),
];
const STREAMS_BUFFERED: &[Remedy] = &[
    ("nginx", "proxy_buffering off;"),
    ("Caddy", "flush_interval -1"),
    ("others", "send on each part of an answer as it comes"),
];
const STREAMS_COMPRESSED: &[Remedy] = &[
    ("HAProxy", "compression type text/html text/css application/json, without text/event-stream"),
    ("nginx", "gzip_types without text/event-stream"),
    ("Caddy", "encode for other types than text/event-stream"),
];
const LONG_POLLS_ENDED: &[Remedy] = &[
    ("nginx", "proxy_read_timeout 75s;"),
    ("HAProxy", "timeout server 75s, and timeout client 75s"),
    ("others", "wait 75 s for an answer"),
];
const IDLE_SOCKETS_CLOSED: &[Remedy] = &[
    ("HAProxy", "timeout tunnel 1h"),
    ("nginx", "proxy_read_timeout 75s;"),
    ("others", "let a socket be silent for 75 s"),
];
const NOT_FORWARDED: &[Remedy] = &[
    ("nginx", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"),
    ("HAProxy", "option forwardfor"),
    ("others", "write the caller's address into X-Forwarded-For"),
];
const NOT_TRUSTED: &[Remedy] = &[("this node", "start it with --trusted-proxy and the proxy's address")];

/// Returns the lines to change: those of the given proxy and of the node, or those of every proxy that it may be.
pub fn lines(finding: &Finding, proxy: Proxy) -> Vec<String> {
    let remedies = remedies(finding);
    let own_place = match proxy {
        Proxy::Nginx => "nginx",
        Proxy::Caddy => "Caddy",
        Proxy::Unknown => "",
    };
    let is_own_known = remedies.iter().any(|(place, _)| *place == own_place);
    let mut own_lines = Vec::new();
    let mut other_lines = Vec::new();
    for (place, line) in remedies {
        if place == own_place {
            own_lines.push(line);
        } else if !is_own_known || place.ends_with("this node") {
            other_lines.push(format!("{place}: {line}"));
        }
    }
    own_lines.extend(other_lines);
    own_lines
}

fn remedies(finding: &Finding) -> Vec<(&'static str, String)> {
    let fixed = match finding {
        Finding::HostRewritten { .. } => HOST_REWRITTEN,
        Finding::PortDropped { .. } => PORT_DROPPED,
        Finding::OriginRewritten { .. } => ORIGIN_REWRITTEN,
        Finding::OriginRefused { .. } => ORIGIN_REFUSED,
        Finding::Http10 => HTTP_10,
        Finding::UpgradeDropped | Finding::SocketRefused { .. } => UPGRADE_DROPPED,
        Finding::ResponsesBuffered => RESPONSES_BUFFERED,
        Finding::StreamsBuffered { .. } => STREAMS_BUFFERED,
        Finding::StreamsCompressed { .. } => STREAMS_COMPRESSED,
        Finding::LongPollsEnded { .. } => LONG_POLLS_ENDED,
        Finding::IdleSocketsClosed { .. } => IDLE_SOCKETS_CLOSED,
        Finding::NotForwarded => NOT_FORWARDED,
        Finding::NotTrusted => NOT_TRUSTED,
        Finding::ConnectionsKeptTooLong { node_secs } => return keep_alive(*node_secs),
        Finding::NotReady { .. } | Finding::CheckFailed(_) => &[],
    };
    fixed.iter().map(|(place, line)| (*place, (*line).to_owned())).collect()
}

fn keep_alive(node_secs: u32) -> Vec<(&'static str, String)> {
    let shorter = node_secs / 2;
    vec![
        ("HAProxy", format!("option http-server-close, or pool-purge-delay {shorter}s")),
        ("Caddy", format!("transport http {{ keepalive {shorter}s }}")),
        ("nginx", format!("keepalive_timeout {shorter}s; in `upstream`")),
        ("or this node", "start it with a larger --keep-alive-secs".into()),
    ]
}
