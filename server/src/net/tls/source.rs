//! `Source`: the origin of the node's certificate.

use std::path::PathBuf;

use crate::net::tls::acme::Acme;

/// The origin of the node's certificate.
#[derive(Debug, Clone)]
pub enum Source {
    /// Two PEM files of the operator: the chain, which begins with the node's own certificate, and its key.
    Files {
        /// The file of the chain.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// A certificate for this machine only. The node makes it in this folder if there is none.
    SelfSigned(PathBuf),
    /// A certificate authority, which issues a new certificate before the old one expires.
    Acme(Acme),
}
