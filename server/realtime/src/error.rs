//! The errors of the engine that a caller can act on. They know no HTTP.

use shared::{ErrorCode, Problem};

use crate::log::{AppendError, LogError};

/// The reason for which a publish was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The payload is over `payload_bytes_max`. Nothing was appended.
    #[error("too long for this server: at most {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u32,
    },
    /// Too many publishes wait, or the node is stopping. Nothing was appended.
    #[error("the node accepts no more publishes at the moment")]
    Busy,
    /// The log did not append it.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// The reason for which a topic may not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// No feature has this namespace.
    #[error("there is no namespace {0:?}")]
    UnknownNamespace(String),
    /// The feature's access rule says no.
    #[error("reading this topic is not allowed")]
    Forbidden,
}

/// The reason for which a page was not read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The person may not read it.
    #[error(transparent)]
    Refused(#[from] SubscribeError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl SubscribeError {
    /// The problem that a client is told.
    pub fn problem(&self) -> Problem {
        let code = match self {
            SubscribeError::UnknownNamespace(_) => ErrorCode::NotFound,
            SubscribeError::Forbidden => ErrorCode::Forbidden,
        };
        Problem::new(code, self.to_string())
    }
}
