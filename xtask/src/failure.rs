//! Failure of a command: a message for the user and an exit code for scripts.

use std::process::ExitCode;

/// Result of a command or of a part of it.
pub(crate) type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// Reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong. The message says what, and how to fix it.
    Error(String),
    /// The command line is invalid.
    Usage(String),
    /// Something went wrong and the user has already been told.
    Reported,
    /// Ctrl-C or SIGTERM arrived.
    Interrupted,
}

impl Failure {
    /// Message that still has to be printed, if any.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Failure::Error(message) | Failure::Usage(message) => Some(message),
            Failure::Reported | Failure::Interrupted => None,
        }
    }

    /// 1 for errors, 2 for an invalid command line, 130 for an interruption (the shells' convention).
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Error(_) | Failure::Reported => 1,
            Failure::Usage(_) => 2,
            Failure::Interrupted => 130,
        })
    }
}

impl<T: Into<String>> From<T> for Failure {
    fn from(message: T) -> Self {
        Failure::Error(message.into())
    }
}
