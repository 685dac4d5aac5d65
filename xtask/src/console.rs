//! Messages to the user, on stderr: stdout carries only the result of a command.

use std::io::{IsTerminal, Write};
use std::process::Command;

/// Announces a step that may take a while, with its purpose or duration in parentheses.
pub(crate) fn step(title: &str, detail: &str) {
    write_line("\x1b[1;36m", "==>", &format!("{title} ({detail})"));
}

/// Prints a piece of information.
pub(crate) fn note(text: &str) {
    write_line("\x1b[36m", " ->", text);
}

/// Prints an error message.
pub(crate) fn error(text: &str) {
    write_line("\x1b[1;31m", "error:", text);
}

/// Wraps `text` in an ANSI colour if stdout shows colours.
pub(crate) fn coloured(colour: &str, text: &str) -> String {
    paint(&std::io::stdout(), colour, text)
}

fn paint(stream: &impl IsTerminal, colour: &str, text: &str) -> String {
    if use_colours(stream) { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
}

/// Returns true if the stream is a terminal and `NO_COLOR` (<https://no-color.org>) is not set.
fn use_colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Makes cargo print colours into a pipe if our stdout shows them.
pub(crate) fn request_colours(command: &mut Command) {
    if use_colours(&std::io::stdout()) {
        command.env("CARGO_TERM_COLOR", "always");
    }
}

/// Ignores write errors: a closed stderr is no reason to panic.
fn write_line(colour: &str, prefix: &str, text: &str) {
    let mut stderr = std::io::stderr();
    let prefix = paint(&stderr, colour, prefix);
    let _ = writeln!(stderr, "{prefix} {text}");
}
