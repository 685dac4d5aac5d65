//! The bodies of the core's HTTP answers: the page of a pull, and the acknowledgement of a publish.

use serde::{Deserialize, Serialize};

use crate::{Epoch, Event, Page, Seq, Topic};

/// The number of events in a page, unless the pull says otherwise.
pub const PAGE_LIMIT_DEFAULT: u32 = 100;
/// The number of events that a pull may ask for.
pub const PAGE_LIMIT_MAX: u32 = 500;

/// The part of a topic that a pull asks for.
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
    /// The topic.
    pub topic: Topic,
    /// The epoch of the log.
    pub epoch: Epoch,
    /// The newest seq of the topic; 0 if it has no events.
    pub head: Seq,
    /// The events that were asked for; the newest ones if the position is void.
    pub events: Vec<Event>,
}

impl From<EventPage> for Page<Event> {
    fn from(page: EventPage) -> Page<Event> {
        let items = page.events.into_iter().map(|event| (event.seq, event)).collect();
        Page { epoch: page.epoch, head: page.head, items }
    }
}

/// The answer to a publish, sent only once the event is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ack {
    /// The topic of the event.
    pub topic: Topic,
    /// The epoch of the log.
    pub epoch: Epoch,
    /// The seq of the event.
    pub seq: Seq,
}
