//! The wire between a browser and a node, and the rules that every reader of it keeps.
//!
//! Nothing here does IO, waits, asks a clock or draws a random number, so the same code runs in the browser,
//! in the server and in a property test. The modules, in reading order:

mod characters;
pub mod endpoint;
mod event;
mod frame;
mod identity;
mod kind;
mod problem;
mod pull;
mod seq;
mod topic;

mod backoff;
mod connection;
mod cursor;
mod feed;

pub mod features;

pub use backoff::Backoff;
pub use connection::{Command, Connection, Input, Status};
pub use cursor::{Admission, Cursor};
pub use event::{Event, Key, Millis, Payload};
pub use feed::{Feed, Page, Pull, Step};
pub use frame::{ClientFrame, Listed, Member, ServerFrame, SessionLimits, Welcome};
pub use identity::{DisplayName, Identity, NewIdentity, UserId};
pub use kind::TopicKind;
pub use problem::{CloseReason, ErrorCode, FieldError, Problem};
pub use pull::{Ack, EventPage, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part, Position};
pub use seq::{Epoch, Seq};
pub use topic::{NAME_GRAMMAR, NAME_PATTERN, Topic};

/// A value of the wire that breaks its grammar. The text names the rule, so that it can be shown as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);
