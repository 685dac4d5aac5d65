//! Every URL of the core, built in one place for both sides. The client builds addresses, the server routes them.

use crate::{Epoch, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part, Pull, Seq, Topic};

/// Who am I, name myself, sign out: GET, POST, DELETE.
pub const ME: &str = "/api/me";
/// The same GET for one whose socket came to nothing, and browsers hide why: refused where a socket would be.
pub const ME_FOR_SOCKET: &str = "/api/me?for=socket";
/// The WebSocket.
pub const SOCKET: &str = "/socket";
/// The pattern behind [`events`], as the server's router spells it.
pub const EVENTS: &str = "/api/topics/{topic}/events";
/// The contract of the routes, as OpenAPI.
pub const OPENAPI: &str = "/api/openapi.json";
/// The contract of the socket, as AsyncAPI.
pub const ASYNCAPI: &str = "/api/asyncapi.json";
/// The WebSocket subprotocol, which the node confirms to a client that offers it.
pub const SUBPROTOCOL: &str = "duplex.v1.json";

/// The request header with the author's own name for what is published (see [`crate::Key`]).
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The answer header that says "this had happened before".
pub const IDEMPOTENCY_REPLAYED: &str = "Idempotency-Replayed";

/// The request header with which a pull waits for what comes next (RFC 7240): see [`wait`].
pub const PREFER: &str = "Prefer";
/// The answer header of a pull that would have waited.
pub const PREFERENCE_APPLIED: &str = "Preference-Applied";
/// The request header of a stream that goes on after this `epoch:seq`.
pub const LAST_EVENT_ID: &str = "Last-Event-ID";
/// The longest that a pull may wait, in seconds.
pub const WAIT_SECS_MAX: u32 = 60;

/// The address of a part of a topic: at most `limit` events (1 to 500); `epoch` is the one that the reader knows.
pub fn events(topic: &Topic, part: Part, epoch: Option<&Epoch>, limit: u32) -> String {
    let mut url = format!("/api/topics/{topic}/events?limit={limit}");
    match part {
        Part::Newest => {}
        Part::After(seq) => url.push_str(&format!("&after={seq}")),
        Part::Before(seq) => url.push_str(&format!("&before={seq}")),
    }
    if let Some(epoch) = epoch {
        url.push_str(&format!("&epoch={epoch}"));
    }
    url
}

/// The address of a pull.
pub fn pull(topic: &Topic, pull: &Pull) -> String {
    let mut url = match &pull.after {
        None => events(topic, Part::Newest, None, PAGE_LIMIT_DEFAULT),
        // Catching up takes the largest page, so that one request is mostly enough.
        Some(at) => events(topic, Part::After(at.seq), Some(&at.epoch), PAGE_LIMIT_MAX),
    };
    if pull.heard > Seq::ZERO {
        url.push_str(&format!("&heard={}", pull.heard));
    }
    url
}

/// The value of [`PREFER`]: wait for an event for up to that long.
pub fn wait(secs: u32) -> String {
    format!("wait={secs}")
}
