//! The core: topics, log, hub and sessions. It knows no HTTP and no feature.
//!
//! A publish goes to the one [`publisher`] task, which appends it to the [`log`] and then announces it on the
//! [`bus`]. Every node hears the notice, and its [`hub`] puts it in order with a `Feed` of its own and offers one
//! encoded frame to the [`outbox`] of each [`session`] that listens. Whatever is lost on the way, between nodes
//! or on a slow socket, is repaired in the same manner: tell the head, and let the reader pull from the log.

mod access;
mod bus;
mod census;
mod error;
mod figures;
mod hub;
pub mod log;
mod node;
mod outbox;
mod presence;
mod publisher;
mod queue;
mod session;
mod sessions;
mod tail;
mod tasks;
mod watch;
mod watched;
mod writable;

pub use access::{AccessRule, Everyone, SignIn, Visitor};
pub use bus::{Bus, BusError, Heard, Notice, open as open_bus};
pub use error::{PublishError, ReadError, SubscribeError};
pub use figures::Figures;
pub use log::{
    AppendError, Appended, Draft, End, EventLog, Heads, LogError, NewEpoch, Outcome, Range, Room, Span, Which,
};
pub use node::{Node, Parts};
pub use outbox::{Batch, Ending, Outbox, encode};
pub use queue::Owed;
pub use session::Session;
pub use watch::Watch;
