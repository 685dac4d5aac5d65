//! Every URL of the core, built in one place for both sides. The client builds addresses, the server routes them.

use crate::{Epoch, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part, Pull, Seq, Topic};

/// The caller's own identity: GET returns it, POST makes an account or renames it, DELETE signs out.
pub const ME: &str = "/api/me";
/// The same GET for a client whose socket could not be opened: it is refused for the reasons for which a socket would be,
/// which browsers hide.
pub const ME_FOR_SOCKET: &str = "/api/me?for=socket";
/// The WebSocket.
pub const SOCKET: &str = "/socket";
/// The events of a topic, as a pattern of the server's router; [`events`] fills it in.
pub const EVENTS: &str = "/api/topics/{topic}/events";
/// The contract of the routes, as OpenAPI.
pub const OPENAPI: &str = "/api/openapi.json";
/// The contract of the socket, as AsyncAPI.
pub const ASYNCAPI: &str = "/api/asyncapi.json";
/// The WebSocket subprotocol, which the node confirms to a client that offers it.
pub const SUBPROTOCOL: &str = "duplex.v1.json";

/// The request header with the [`Key`](crate::Key) of a publish.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The answer header of a publish that had happened before.
pub const IDEMPOTENCY_REPLAYED: &str = "Idempotency-Replayed";

/// The request header with which a pull waits for the next event (RFC 7240); see [`wait`].
pub const PREFER: &str = "Prefer";
/// The answer header of a pull that would have waited.
pub const PREFERENCE_APPLIED: &str = "Preference-Applied";
/// The request header of a stream that continues after an `epoch:seq`.
pub const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Seconds that a pull may wait.
pub const WAIT_SECS_MAX: u32 = 60;

/// Makes the address of a part of a topic, with at most `limit` events (1 to 500). `epoch` is the one that the reader knows.
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

/// Makes the address of a pull.
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

/// Makes the value of [`PREFER`] that waits up to `secs` seconds for an event.
pub fn wait(secs: u32) -> String {
    format!("wait={secs}")
}
