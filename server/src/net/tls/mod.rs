//! TLS: the certificate that the node serves, its source, and its replacement while connections stay open.
//!
//! TLS 1.3 and 1.2 with the suites of rustls, none of which is weak. The hybrid post-quantum key exchange X25519MLKEM768
//! is preferred.

mod source;
pub use source::Source;
mod server_tls;
pub use server_tls::Tls;
mod acme;
mod challenges;
mod served_certificate;
pub use acme::Acme;
mod error;
mod pem;
mod secret_file;
mod self_signed;
pub use error::TlsError;
