//! The real server with the smallest feature there is, `probe`, in place of the demo, and with an echo beside it.
//!
//! The core's tests talk to it, so they stay when the demo goes.

mod echo;
mod feature;

use std::process::ExitCode;

use server::http::Feature;

fn main() -> ExitCode {
    let probe = feature::feature();
    server::run(vec![Feature { routes: probe.routes.merge(echo::routes()), ..probe }])
}
