//! How a command fails: with a line for the person and an exit code for the machine.

use std::process::ExitCode;

/// What a command ends with; nothing by default.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong; the text says what, and how to mend it.
    Error(String),
    /// The command was called in a way it does not understand.
    Usage(String),
    /// Something went wrong and the command has told the person already.
    Reported,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

impl Failure {
    /// What is still to be said, if anything.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Failure::Error(reason) | Failure::Usage(reason) => Some(reason),
            Failure::Reported | Failure::Interrupted => None,
        }
    }

    /// 1, or 2 for misuse, or 130 as shells have it for Ctrl-C.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Error(_) | Failure::Reported => 1,
            Failure::Usage(_) => 2,
            Failure::Interrupted => 130,
        })
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Failure::Error(reason)
    }
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        Failure::Error(reason.to_owned())
    }
}
