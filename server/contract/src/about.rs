//! `About`: the facts about an API that its routes do not say.

use crate::payloads::Payloads;

/// The version of the wire, which is that of the documents.
pub const WIRE_VERSION: &str = "1";

/// The facts about an API that its routes do not say.
pub struct About {
    /// The namespaces of topics, and the payloads of each.
    pub kinds: Vec<(&'static str, Payloads)>,
    /// The name of the sign-in's cookie where nothing is encrypted.
    pub cookie: &'static str,
    /// The name of the sign-in's cookie under TLS.
    pub cookie_under_tls: &'static str,
}
