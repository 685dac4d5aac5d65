//! `TlsError`: a certificate or key that the node cannot serve.

/// A certificate or key cannot be served. One line, which names the file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(pub String);
