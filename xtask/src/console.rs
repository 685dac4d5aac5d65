//! What we tell the person, on stderr, so that stdout stays what the command was asked for.

use std::io::{IsTerminal, Write};

/// Announces a step that may take a while: what happens, and why or for how long.
pub(crate) fn step(what: &str, why: &str) {
    line("\x1b[1;36m", "==>", &format!("{what} ({why})"));
}

/// Something worth knowing.
pub(crate) fn note(text: &str) {
    line("\x1b[36m", " ->", text);
}

/// Why the command ends early.
pub(crate) fn error(text: &str) {
    line("\x1b[1;31m", "error:", text);
}

/// Wraps `text` in an ANSI colour when whoever reads our stdout can show it.
pub(crate) fn coloured(colour: &str, text: &str) -> String {
    if use_colours(&std::io::stdout()) { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
}

/// Whether a stream wants colours: a terminal, and <https://no-color.org> not asked for.
pub(crate) fn use_colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Writes one line and lets it go when nobody reads any more: that is no reason to panic.
fn line(colour: &str, lead: &str, text: &str) {
    let mut stderr = std::io::stderr();
    let _ = if use_colours(&stderr) {
        writeln!(stderr, "{colour}{lead}\x1b[0m {text}")
    } else {
        writeln!(stderr, "{lead} {text}")
    };
}
