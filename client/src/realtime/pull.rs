//! Requests for one page of a topic's events, over plain HTTP.

use shared::{Epoch, EventPage, PAGE_LIMIT_DEFAULT, Part, Problem, Pull, Seq, Topic, endpoint};

use crate::http;

/// The time a long poll stays at the node when nothing happens: shorter than the timeouts of common proxies.
const WAIT_SECS: u32 = 25;

/// Pulls the page that a reader's feed asks for.
pub(super) async fn pull(topic: &Topic, query: &Pull) -> Result<EventPage, Problem> {
    http::get_json(&endpoint::pull(topic, query)).await
}

/// Pulls by long poll: the node answers once there is something new. Dropping the future aborts the request.
pub(super) async fn pull_waiting(topic: &Topic, query: &Pull) -> Result<EventPage, Problem> {
    http::get_json_waiting(&endpoint::pull(topic, query), WAIT_SECS).await
}

/// Pulls the page just below `seq`, for scrolling up.
pub(super) async fn pull_before(topic: &Topic, seq: Seq, epoch: &Epoch) -> Result<EventPage, Problem> {
    http::get_json(&endpoint::events(topic, Part::Before(seq), Some(epoch), PAGE_LIMIT_DEFAULT)).await
}
