//! Labels for the output of programs that share one terminal.

use crate::console;
use crate::failure::Result;
use crate::process::{self, ChildProcess};
use std::io::{PipeWriter, Write};
use std::process::Command;

/// Prefix of every line that a program prints.
#[derive(Clone, Copy)]
pub(crate) struct LineLabel {
    pub(crate) name: &'static str,
    /// ANSI escape sequence.
    pub(crate) colour: &'static str,
}

/// Label of the server and of its build.
pub(crate) const SERVER: LineLabel = LineLabel { name: "server", colour: "\x1b[35m" };
/// Label of the client's build.
pub(crate) const CLIENT: LineLabel = LineLabel { name: "client", colour: "\x1b[36m" };

impl LineLabel {
    /// Starts a child process and prints its stdout and stderr behind the label.
    pub(crate) fn spawn(self, command: &mut Command) -> Result<ChildProcess> {
        console::request_colours(command);
        ChildProcess::spawn(command.stdout(self.pipe()?).stderr(self.pipe()?))
    }

    /// Creates a pipe whose lines are printed behind the label.
    pub(crate) fn pipe(self) -> Result<PipeWriter> {
        process::line_pipe(move |line| self.print(&line))
    }

    /// Prints a text with the label before each of its lines.
    pub(crate) fn print(self, text: &str) {
        let label = console::coloured(self.colour, &format!("{} |", self.name));
        for line in text.split('\n') {
            // A closed stdout is no reason to end.
            let _ = writeln!(std::io::stdout(), "{label} {line}");
        }
    }
}
