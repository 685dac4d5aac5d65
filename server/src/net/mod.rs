//! The network below HTTP: addresses, connections, TLS.

pub mod authority;
mod connection;
pub use connection::PauseBefore;
mod listener;
pub use listener::{Listener, ListenerDeps};
pub mod redirect;
mod request_heads;
mod stuck_bodies;
pub mod tls;
mod transport;
pub use transport::Transport;
