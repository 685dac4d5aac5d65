//! The probe: the real server with the smallest possible feature in place of the demo, and optionally with an echo.
//!
//! The core's tests use it, so that they remain when the demo is deleted.

mod echo;
mod feature;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut probe = feature::feature();
    // Only for conformance suites: the echo is not part of the contract.
    if std::env::var_os("PROBE_ECHO").is_some() {
        probe.routes = probe.routes.merge(echo::routes());
    }
    server::run(vec![probe])
}
