//! The engine of a node: topics, log, hub and sessions. It knows no HTTP, no SQL, no flags and no feature.
//!
//! A publish goes to the one [`publisher`] task, which appends it to the [`log`] and then announces it on the [`bus`].
//! Every node hears the notice. Its [`hub`] puts notices in order with a `Feed` and offers one encoded frame to the
//! [`mailbox`] of each [`session`] that is subscribed. Whatever is lost on the way, between nodes or on a slow socket,
//! is repaired in the same manner: the reader is told the head, and pulls from the log.
//!
//! A server opens a [`Node`] with its [`NodeDeps`]; everything that HTTP and the features ask for is a method of it.

mod node;
pub use node::{Node, NodeDeps, NodeLimits};

mod log;
pub use log::{AppendError, Appended, Draft, EventLog, Heads, HeadsOf, LogError, Outcome};
mod range;
pub use range::{PageBudget, PageEnd, Range, Span};
mod bus;
pub use bus::{Bus, BusError, BusMessage, Notice};
mod local_bus;
pub use local_bus::LocalBus;

mod hub;
mod live_topic;
mod mailbox;
mod publisher;
mod tail;
pub use mailbox::{Batch, Debt, Ending, Mailbox, encode};

mod session;
pub use session::Session;
mod presence;
mod sessions;
mod waiter;
pub use waiter::Waiter;
mod access;
pub use access::{AccessRule, Everyone, SignInId, Visitor};

mod error;
mod tasks;
mod write_probe;
pub use error::{PublishError, ReadError, SubscribeError};
mod metrics;
pub use metrics::CoreMetrics;
mod gauges;
mod spawn;
pub use spawn::uncancelled;
