//! `Transport`: the encryption between browsers and this node.

/// The encryption of connections, also by a proxy in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// None.
    Plain,
    /// TLS with a certificate for this machine only. It makes no promise for the future of its name.
    LocalTls,
    /// TLS with a real certificate.
    Tls,
}

impl Transport {
    /// True if cookies can be limited to TLS.
    pub fn is_secure(self) -> bool {
        self != Transport::Plain
    }
}
