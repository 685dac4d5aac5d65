//! `ClientIp`: the address of a client for limits and log lines, also behind a proxy.
//!
//! A proxy writes the address of its caller into `X-Forwarded-For`, or into `Forwarded` (RFC 7239). Anybody else can
//! write there too, so it is believed only from trusted proxies, and only as far as they vouch for it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header::{FORWARDED, HeaderName};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use contract::{Described, Operation};
use ipnet::IpNet;

use crate::http::negotiation::list;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of a connection: a client, or a proxy.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The address without the port.
    pub fn ip(self) -> IpAddr {
        self.0.ip()
    }

    /// Returns the peer of a request, which its connection put among the extensions.
    pub fn of(extensions: &Extensions) -> Peer {
        let known = extensions.get::<ConnectInfo<Peer>>();
        known.map_or(Peer(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))), |ConnectInfo(peer)| *peer)
    }
}

/// The address of the client behind a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientIp
where
    Proxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<ClientIp, Infallible> {
        let proxies = Proxies::from_ref(state);
        Ok(proxies.client(Peer::of(&parts.extensions), &parts.headers))
    }
}

impl Described for ClientIp {
    fn describe(_operation: &mut Operation<'_>) {}
}

/// The trusted proxies in front of the node. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Arc<Trusted>);

#[derive(Debug, Default)]
struct Trusted {
    networks: Vec<IpNet>,
    /// True once a proxy was logged that does not name its client.
    has_warned: AtomicBool,
}

impl Proxies {
    /// Trusts the proxies with an address in these networks.
    pub fn new(networks: Vec<IpNet>) -> Proxies {
        Proxies(Arc::new(Trusted { networks, has_warned: AtomicBool::new(false) }))
    }

    /// True for the address of a trusted proxy.
    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.0.networks.iter().any(|network| network.contains(&ip.to_canonical()))
    }

    /// Returns the client's address. Each proxy adds the address that it saw at the end of the list, so the list is read
    /// from its end for as long as trusted proxies wrote it; anybody may have written the entries before. An entry that
    /// is not an address is passed over: a proxy that does not know writes `unknown`.
    ///
    /// Example: with 10.0.0.0/8 trusted, a peer 10.0.0.1 and `X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2`, the
    /// client is 203.0.113.9.
    pub fn client(&self, peer: Peer, headers: &HeaderMap) -> ClientIp {
        let mut client = peer.ip().to_canonical();
        if !self.trusts(client) {
            return ClientIp(client);
        }
        let forwarded = forwarded_addresses(headers);
        for before in forwarded.iter().rev().filter_map(|text| address(text)) {
            client = before;
            if !self.trusts(client) {
                break;
            }
        }
        if client == peer.ip().to_canonical() && !self.0.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                proxy = %client,
                forwarded = forwarded.join(", "),
                "a trusted proxy does not name its client in X-Forwarded-For or Forwarded: all clients behind it \
                 count as one address"
            );
        }
        ClientIp(client)
    }
}

/// Returns the addresses that proxies wrote, as text. `X-Forwarded-For` wins, because more proxies write it.
fn forwarded_addresses(headers: &HeaderMap) -> Vec<&str> {
    if headers.contains_key(FORWARDED_FOR) {
        return list(headers, FORWARDED_FOR).collect();
    }
    list(headers, FORWARDED).filter_map(forwarded_for).collect()
}

/// Returns the `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value.trim()).next()
}

/// Reads an address, to which some proxies add the port, brackets or quotation marks.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))?.parse().ok();
    let plain = text.parse::<IpAddr>().or_else(|_| with_port()).ok();
    plain.or_else(in_brackets).map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(from: &str, lines: &[&str]) -> String {
        client_by(&FORWARDED_FOR, from, lines)
    }

    fn client_by(header: &HeaderName, from: &str, lines: &[&str]) -> String {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| _ = headers.append(header, line.parse().unwrap()));
        let ClientIp(ip) = proxies.client(Peer(SocketAddr::new(from.parse().unwrap(), 1)), &headers);
        ip.to_string()
    }

    #[test]
    fn only_a_known_proxy_is_believed() {
        assert_eq!(client("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client("192.0.2.9", &["192.0.2.7"]), "192.0.2.9");
        assert_eq!(client("::ffff:10.0.0.1", &["192.0.2.7:4711"]), "192.0.2.7");
    }

    #[test]
    fn every_spelling_of_an_address_is_read() {
        for text in ["[2001:db8::7]", "[2001:db8::7]:443", "\"[2001:db8::7]:443\"", "\"2001:db8::7\""] {
            assert_eq!(client("10.0.0.1", &[text]), "2001:db8::7", "{text}");
        }
        assert_eq!(client("10.0.0.1", &["\"192.0.2.7\""]), "192.0.2.7");
        for element in [
            "for=192.0.2.7",
            "For=\"192.0.2.7:4711\"",
            "proto=https;for=192.0.2.7;by=10.0.0.1",
            "for=203.0.113.9, for=192.0.2.7",
        ] {
            assert_eq!(client_by(&FORWARDED, "10.0.0.1", &[element]), "192.0.2.7", "{element}");
        }
        assert_eq!(client_by(&FORWARDED, "10.0.0.1", &["for=\"[2001:db8::7]\""]), "2001:db8::7");
    }

    #[test]
    fn what_a_client_wrote_itself_counts_for_nothing() {
        assert_eq!(client("10.0.0.1", &["127.0.0.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &["127.0.0.1", "192.0.2.7, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.3"]), "10.0.0.3", "a proxy may ask for itself");
    }

    #[test]
    fn who_is_not_known_to_a_proxy_is_passed_over() {
        assert_eq!(client("10.0.0.1", &["192.0.2.8, unknown"]), "192.0.2.8");
        assert_eq!(client("10.0.0.1", &["192.0.2.8, _hidden, "]), "192.0.2.8");
        assert_eq!(client("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(client_by(&FORWARDED, "10.0.0.1", &["for=unknown"]), "10.0.0.1");
    }
}
