//! The handlers: what the API, the socket and the operator's addresses answer.

pub mod arrival;
pub mod events;
pub mod health;
pub mod me;
pub mod metrics;
pub mod publish;
mod socket;
pub mod upgrade;
