//! Labels for the output of programs that share one terminal.

use crate::console;
use crate::failure::Result;
use crate::process::{self, ChildProcess};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;

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
        self.request_colours(command);
        let mut process = ChildProcess::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let child = process.child();
        if let Some(stdout) = child.stdout.take() {
            self.print_lines(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            self.print_lines(stderr);
        }
        Ok(process)
    }

    /// Makes cargo print colours into a pipe if our stdout shows them.
    pub(crate) fn request_colours(self, command: &mut Command) {
        if console::use_colours(&std::io::stdout()) {
            command.env("CARGO_TERM_COLOR", "always");
        }
    }

    /// Prints a text with the label before each of its lines.
    pub(crate) fn print(self, text: &str) {
        let label = console::coloured(self.colour, &format!("{} |", self.name));
        for line in text.split('\n') {
            // A closed stdout is no reason to end.
            let _ = writeln!(std::io::stdout(), "{label} {line}");
        }
    }

    /// Prints each line of a stream behind the label, on a thread of its own.
    pub(crate) fn print_lines(self, stream: impl Read + Send + 'static) {
        thread::spawn(move || process::lines(stream).for_each(|line| self.print(&line)));
    }
}
