//! One pull: a page of a topic's events, by plain HTTP.

use shared::{Epoch, EventPage, PAGE_LIMIT_DEFAULT, Part, Problem, Pull, Seq, Topic, endpoint};

use crate::http;

/// How long a long poll stays at the node when nothing happens: less than what proxies cut off.
const WAIT_SECS: u32 = 25;

/// What a reader's feed asks for.
pub(super) async fn pull(topic: &Topic, wish: &Pull) -> Result<EventPage, Problem> {
    http::get_json(&endpoint::pull(topic, wish)).await
}

/// The same, answered only once there is something to tell: a long poll. Dropped, it is called off.
pub(super) async fn pull_waiting(topic: &Topic, wish: &Pull) -> Result<EventPage, Problem> {
    http::get_json_waiting(&endpoint::pull(topic, wish), WAIT_SECS).await
}

/// The page just below `seq`, for scrolling up.
pub(super) async fn pull_before(topic: &Topic, seq: Seq, epoch: &Epoch) -> Result<EventPage, Problem> {
    http::get_json(&endpoint::events(topic, Part::Before(seq), Some(epoch), PAGE_LIMIT_DEFAULT)).await
}
