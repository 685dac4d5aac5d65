//! The realtime core: one socket for the tab, and for each topic a reader that applies every event once and in order.
//!
//! A feature brings a [`Projection`], calls [`use_topic`] and shows what comes of it. It never sees a frame, a gap or a
//! reconnect. Publishing goes through the outbox, which keeps a post until its event has come back. This folder knows
//! no feature and no view.

mod context;
pub use context::{Realtime, use_realtime};

mod projection;
pub use projection::Projection;

mod topic;
pub use topic::{LoadState, OlderPage, TopicReader, use_topic};

mod follow_topics;
pub use follow_topics::{TopicUpdate, follow_topics};

mod outbox;
pub use outbox::{PendingPost, SendState};

mod members;
pub use members::Members;

mod listeners;
mod page_events;
mod poll_slots;
mod sign_in_check;
mod socket;
mod websocket_link;
