//! One pull: a page of a topic's events, by plain HTTP.

use shared::{
    Epoch, EventPage, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part, Problem, Pull, Seq, Topic, endpoint,
};

use crate::http;

/// What a reader's feed asks for. Catching up takes the largest page, so that one request is mostly enough.
pub(super) async fn pull(topic: &Topic, wish: &Pull) -> Result<EventPage, Problem> {
    let url = match wish {
        Pull::Newest => endpoint::events(topic, Part::Newest, None, PAGE_LIMIT_DEFAULT),
        Pull::After(at) => endpoint::events(topic, Part::After(at.seq), Some(&at.epoch), PAGE_LIMIT_MAX),
    };
    http::get_json(&url).await
}

/// The page just below `seq`, for scrolling up.
pub(super) async fn pull_before(topic: &Topic, seq: Seq, epoch: &Epoch) -> Result<EventPage, Problem> {
    http::get_json(&endpoint::events(topic, Part::Before(seq), Some(epoch), PAGE_LIMIT_DEFAULT)).await
}
