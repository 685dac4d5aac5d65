//! `ClientIp`: the address that limits and log lines mean, also when a proxy stands in front.
//!
//! A proxy writes who asked it into `X-Forwarded-For`, or into `Forwarded` (RFC 7239). Anybody else can write there
//! too, so it is believed only from the proxies that the node was told of, and only as far as they vouch for it.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, HeaderName};
use axum::http::request::Parts;
use ipnet::IpNet;

use crate::http::accepted::list;
use crate::http::{AppState, Peer};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl FromRequestParts<AppState> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<ClientIp, Infallible> {
        Ok(app.proxies.client(Peer::of(&parts.extensions), &parts.headers))
    }
}

/// The proxies in front of the node.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    networks: Vec<IpNet>,
    /// True once the log has a line about a proxy that does not say whom it asks for.
    told: Arc<AtomicBool>,
}

impl Proxies {
    /// Those with an address in these networks.
    pub fn new(networks: Vec<IpNet>) -> Proxies {
        Proxies { networks, told: Arc::default() }
    }

    /// Whether this is one of them.
    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&ip.to_canonical()))
    }

    /// Who asks. Each proxy adds the address that it saw at the end, so the list is read from there, for as long as
    /// proxies of ours wrote it; what stands before was written by anybody. An entry that is no address is passed
    /// over: a proxy that does not know says so.
    pub fn client(&self, peer: Peer, headers: &HeaderMap) -> ClientIp {
        let mut client = peer.ip().to_canonical();
        if !self.trusts(client) {
            return ClientIp(client);
        }
        let told = told(headers);
        for before in told.iter().rev().filter_map(|text| address(text)) {
            client = before;
            if !self.trusts(client) {
                break;
            }
        }
        if client == peer.ip().to_canonical() && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                proxy = %client,
                told = told.join(", "),
                "a trusted proxy does not say whom it asks for, in X-Forwarded-For or Forwarded: all behind it count \
                 as one address"
            );
        }
        ClientIp(client)
    }
}

/// The addresses that the proxies wrote, as text. Where both headers are, the one that more proxies write.
fn told(headers: &HeaderMap) -> Vec<&str> {
    if headers.contains_key(FORWARDED_FOR) {
        return list(headers, FORWARDED_FOR).collect();
    }
    list(headers, FORWARDED).filter_map(forwarded_for).collect()
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value.trim()).next()
}

/// Some proxies add the port, brackets or quotation marks.
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

    fn client(from: &str, told: &[&str]) -> String {
        client_by(&FORWARDED_FOR, from, told)
    }

    fn client_by(header: &HeaderName, from: &str, told: &[&str]) -> String {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        told.iter().for_each(|line| _ = headers.append(header, line.parse().unwrap()));
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
