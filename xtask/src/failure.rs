//! How a command fails: with a line for the person and an exit code for the machine.

use std::process::ExitCode;

/// What a command ends with; nothing by default.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong; the text says what, and how to mend it.
    Because(String),
    /// The command was called in a way it does not understand.
    Misuse(String),
    /// Something went wrong and the command has told the person already.
    Told,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

impl Failure {
    /// What is still to be said, if anything.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Failure::Because(reason) | Failure::Misuse(reason) => Some(reason),
            Failure::Told | Failure::Interrupted => None,
        }
    }

    /// 1, or 2 for misuse, or 130 as shells have it for Ctrl-C.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Because(_) | Failure::Told => 1,
            Failure::Misuse(_) => 2,
            Failure::Interrupted => 130,
        })
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Failure::Because(reason)
    }
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        Failure::Because(reason.to_owned())
    }
}
