//! `Authority`: a host with or without a port, compared as URLs compare it and not as text (RFC 3986 §6.2,
//! RFC 6454 §4).

use std::fmt;
use std::net::IpAddr;

/// A host with or without a port: `example.org`, `example.org:8443`, `[::1]:3000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    host: Host,
    /// `None` if the scheme decides.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// In lower case, without the final dot of the DNS root.
    Name(String),
    Address(IpAddr),
}

impl Authority {
    /// Reads a `Host` header, or the part of an origin behind its scheme; `None` if it is not a host.
    pub fn parse(text: &str) -> Option<Authority> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                (Host::Address(IpAddr::V6(host.parse().ok()?).to_canonical()), rest)
            }
            None => {
                let at = text.find(':').unwrap_or(text.len());
                (Host::named(&text[..at])?, &text[at..])
            }
        };
        let port = match port.strip_prefix(':') {
            // A colon without a port is allowed.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Authority { host, port })
    }

    /// True for a name or an address of this machine itself (RFC 6761 §6.3).
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Address(address) => address.is_loopback(),
        }
    }

    /// True if it was given without a port.
    pub fn has_no_port(&self) -> bool {
        self.port.is_none()
    }

    /// True if both name the same host; their ports may differ.
    pub fn is_host_of(&self, other: &Authority) -> bool {
        self.host == other.host
    }
}

impl Host {
    fn named(text: &str) -> Option<Host> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let address = || name.parse().ok().map(Host::Address);
        is_name.then(|| address().unwrap_or(Host::Name(name.clone())))
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => f.write_str(name)?,
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Scheme, host and port of a page, as browsers send it: `https://example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    /// Always with a port, so that the default port and none are equal.
    authority: Authority,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

impl Origin {
    /// Reads an origin; `None` if it is not http or https, or has anything behind its host.
    pub fn parse(text: &str) -> Option<Origin> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let mut authority = Authority::parse(rest)?;
        authority.port.get_or_insert(scheme.port());
        Some(Origin { scheme, authority })
    }

    /// Its host, with a port.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The host as browsers write it into `Host`.
    pub fn as_host(&self) -> String {
        let port = self.authority.port.filter(|port| *port != self.scheme.port());
        Authority { host: self.authority.host.clone(), port }.to_string()
    }

    /// The host and the port to connect to.
    pub fn host_and_port(&self) -> (String, u16) {
        let host = Authority { host: self.authority.host.clone(), port: None }.to_string();
        (host, self.authority.port.unwrap_or(self.scheme.port()))
    }

    /// True for `https`.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// True if a request with this `Host` went to the origin of the page. A `Host` has no scheme: without a port, the page's
    /// scheme decides.
    pub fn is_at(&self, host: &Authority) -> bool {
        self.authority.is_host_of(host) && self.authority.port == host.port.or(Some(self.scheme.port()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Authority { host, port } = self.authority.clone();
        let port = port.filter(|port| *port != self.scheme.port());
        let scheme = if self.is_secure() { "https" } else { "http" };
        write!(f, "{scheme}://{}", Authority { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_at(origin: &str, host: &str) -> bool {
        Origin::parse(origin).unwrap().is_at(&Authority::parse(host).unwrap())
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        let is_loopback =
            |text: &str| Authority::parse(text).is_some_and(|authority| authority.is_loopback());
        for authority in [
            "localhost",
            "LOCALHOST:3000",
            "localhost.:3000",
            "app.localhost",
            "127.0.0.1:1",
            "127.8.8.8",
            "[::1]:3000",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(authority), "{authority}");
        }
        for authority in [
            "",
            "example.org",
            "localhost.example.org",
            "localhost:80.example.org",
            "notlocalhost",
            "10.0.0.1",
            "[::2]",
            "::1",
            ".",
        ] {
            assert!(!is_loopback(authority), "{authority}");
        }
    }

    #[test]
    fn an_origin_is_at_its_host_however_the_two_are_spelled() {
        for (origin, host) in [
            ("https://example.org", "example.org"),
            ("https://example.org", "example.org:443"),
            ("https://example.org:443", "EXAMPLE.org."),
            ("http://example.org", "example.org:80"),
            ("HTTP://Example.org:8080", "example.org:8080"),
            ("http://[::1]:3000", "[0:0::1]:3000"),
            ("https://example.org", "example.org:"),
        ] {
            assert!(is_at(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://example.org", "example.org:80"),
            ("http://example.org", "example.org:443"),
            ("https://example.org:8443", "example.org"),
            ("https://www.example.org", "example.org"),
            ("http://127.0.0.1:1", "127.0.0.1:2"),
        ] {
            assert!(!is_at(origin, host), "{origin} {host}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        assert_eq!(Origin::parse("HTTPS://Example.org:443").unwrap().to_string(), "https://example.org");
        assert_eq!(Origin::parse("http://[::1]:3000").unwrap().to_string(), "http://[::1]:3000");
        for text in [
            "null",
            "",
            "file://",
            "https://",
            "https://a b",
            "https://example.org/",
            "https://example.org/path",
            "https://ada@example.org",
            "https://example.org:99999",
            "https://example.org:+80",
            "example.org",
            "ftp://example.org",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
