//! The rules of connecting, waiting and giving up, as a state machine.
//!
//! The machine opens no socket and reads no clock: a driver tells it what happened and when, and carries out its commands.
//! The browser and the native test client are two drivers of this one machine.

mod input;
pub use input::{ConnectionCommand, Input, Status};
mod machine;
pub use machine::Connection;
