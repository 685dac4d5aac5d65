//! The wire between a browser and a node, and the rules that both sides keep.
//!
//! Nothing here does IO, waits, reads a clock or draws a random number, so the same code runs in the browser, in the
//! server and in a property test.

mod topic;
pub use topic::{NAME_GRAMMAR, NAME_PATTERN, Topic};
mod seq;
pub use seq::{Epoch, Position, Seq};
mod event;
pub use event::{Event, Key, Millis, Payload};
mod kind;
pub use kind::TopicKind;

mod frame;
pub use frame::{ClientFrame, Listed, Member, ServerFrame, SessionLimits, Welcome};
mod pull;
pub use pull::{Ack, EventPage, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part};
mod problem;
pub use problem::{CloseReason, ErrorCode, FieldError, Problem};
pub mod endpoint;

mod identity;
pub use identity::{DisplayName, Identity, NewIdentity, UserId};
mod malformed;
pub use malformed::Malformed;
mod characters;

mod cursor;
pub use cursor::{Admission, Cursor};
mod feed;
pub use feed::{Feed, Page, Pull, Step};
mod backoff;
pub use backoff::Backoff;
mod connection;
pub use connection::{Connection, ConnectionCommand, Input, Status};

pub mod features;
