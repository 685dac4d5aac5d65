//! Every URL of the core, built in one place for both sides. The client builds addresses, the server routes them.

use crate::{Epoch, Part, Topic};

/// Who am I, name myself, sign out: GET, POST, DELETE.
pub const ME: &str = "/api/me";
/// The WebSocket.
pub const SOCKET: &str = "/socket";
/// The pattern behind [`events`], as the server's router spells it.
pub const EVENTS: &str = "/api/topics/{topic}/events";
/// The WebSocket subprotocol, which the node confirms to a client that offers it.
pub const SUBPROTOCOL: &str = "duplex.v1.json";

/// The request header with the author's own name for what is published (see [`crate::Key`]).
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The answer header that says "this had happened before".
pub const IDEMPOTENCY_REPLAYED: &str = "Idempotency-Replayed";

/// The address of a pull: at most `limit` events (1 to 500); `epoch` is the one that the reader knows.
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
