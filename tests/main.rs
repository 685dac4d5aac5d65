//! All tests that need neither a browser nor a built client: against the real server process, over real sockets.

mod architecture;
mod wire;

mod support;

mod features;
mod http;
mod realtime;
