//! `TopicKind`: binds a namespace to its types, on both sides of the wire.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Topic;
use crate::malformed::Malformed;

/// One kind of topic. A feature implements it once in `shared`, and server and client agree from then on.
pub trait TopicKind {
    /// The part of the topic before the colon.
    const NAMESPACE: &'static str;
    /// The number of events up to which a reader catches up. Further behind, it starts over from the newest page.
    const CATCH_UP_MAX: u64 = 500;
    /// The payload of events.
    type Event: Serialize + DeserializeOwned + Clone + 'static;
    /// The payload of signals, such as "typing"; `()` without signals.
    type Signal: Serialize + DeserializeOwned + Clone + 'static;

    /// Makes the topic of this kind with that name.
    fn topic(name: &str) -> Result<Topic, Malformed> {
        Topic::new(Self::NAMESPACE, name)
    }
}
