//! `Label`: several programs in one terminal, each line behind the name of whose it is.

use crate::console;
use crate::failure::Result;
use crate::process::{self, ChildProcess};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;

/// Tells whose line it is.
#[derive(Clone, Copy)]
pub(crate) struct Label {
    /// What stands before each line.
    pub(crate) name: &'static str,
    /// An ANSI colour.
    pub(crate) colour: &'static str,
}

/// The lines of the server and of its build.
pub(crate) const SERVER: Label = Label { name: "server", colour: "\x1b[35m" };
/// The lines of the client's build.
pub(crate) const CLIENT: Label = Label { name: "client", colour: "\x1b[36m" };

impl Label {
    /// Starts a child whose lines, of both streams, are printed behind the label.
    pub(crate) fn spawn(self, command: &mut Command) -> Result<ChildProcess> {
        self.request_colours(command);
        let mut running = ChildProcess::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let child = running.child();
        if let Some(stdout) = child.stdout.take() {
            self.print_lines(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            self.print_lines(stderr);
        }
        Ok(running)
    }

    /// Tells a program that its lines are seen in colours, if they are, though it writes into a pipe.
    pub(crate) fn request_colours(self, command: &mut Command) {
        if console::use_colours(&std::io::stdout()) {
            command.env("CARGO_TERM_COLOR", "always");
        }
    }

    /// Prints a text, each of its lines behind the label.
    pub(crate) fn print(self, text: &str) {
        let label = console::coloured(self.colour, &format!("{} |", self.name));
        for line in text.split('\n') {
            // A reader that went away is no reason to end.
            let _ = writeln!(std::io::stdout(), "{label} {line}");
        }
    }

    /// Prints every line of a stream, until it ends.
    pub(crate) fn print_lines(self, stream: impl Read + Send + 'static) {
        thread::spawn(move || process::lines(stream).for_each(|line| self.print(&line)));
    }
}
