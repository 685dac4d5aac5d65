//! `doctor`: calls a node's public address as a browser would, and reports each problem on the way to the node together
//! with the line of configuration to change.
//!
//! It signs in as a guest, publishes nothing, and signs out. The node itself reports how a request arrived, by
//! [`crate::http::api::arrival`], which shows what a proxy changed.

mod diagnosis;
pub use diagnosis::examine;
mod examination;
pub use examination::TimeBudget;
mod finding;
mod node_client;
mod remedy;
mod stream_delivery;
