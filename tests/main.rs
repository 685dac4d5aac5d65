//! All tests that need neither a browser nor a built client. They use the real server process over real sockets.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod architecture;
mod wire;

mod support;

mod features;
mod http;
mod realtime;
#[cfg(target_os = "linux")]
mod torture;
