//! The real server with the smallest feature there is, `probe`, in place of the demo, and with an echo beside it.
//!
//! The core's tests talk to it, so they stay when the demo goes.

mod echo;
mod feature;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut probe = feature::feature();
    // No part of the contract: only a suite that judges the WebSocket asks for it.
    if std::env::var_os("PROBE_ECHO").is_some() {
        probe.routes = probe.routes.merge(echo::routes());
    }
    server::run(vec![probe])
}
