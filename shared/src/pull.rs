//! What crosses HTTP for the core: the page of a pull, and the acknowledgement of a publish.

use serde::{Deserialize, Serialize};

use crate::{Epoch, Event, Page, Seq, Topic};

/// How many events a pull answers with when it does not say.
pub const PAGE_LIMIT_DEFAULT: u32 = 100;
/// The most events a pull may ask for.
pub const PAGE_LIMIT_MAX: u32 = 500;

/// Which part of a topic a pull asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The newest events.
    Newest,
    /// The events with a larger seq.
    After(Seq),
    /// The events just below.
    Before(Seq),
}

/// Some events of a topic, ascending and without holes: one snapshot of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventPage {
    /// Which topic.
    pub topic: Topic,
    /// The log's life.
    pub epoch: Epoch,
    /// The newest seq of the topic, 0 when nothing was published there.
    pub head: Seq,
    /// As asked for; the newest ones when the position asked from is void.
    pub events: Vec<Event>,
}

impl From<EventPage> for Page<Event> {
    fn from(page: EventPage) -> Page<Event> {
        let items = page.events.into_iter().map(|event| (event.seq, event)).collect();
        Page { epoch: page.epoch, head: page.head, items }
    }
}

/// A reader's whole position in a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Position {
    /// The life of the log in which `seq` counts.
    pub epoch: Epoch,
    /// The last event applied.
    pub seq: Seq,
}

/// The answer to a publish, sent only once the event is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ack {
    /// Where the event is.
    pub topic: Topic,
    /// The log's life.
    pub epoch: Epoch,
    /// The event's place.
    pub seq: Seq,
}
