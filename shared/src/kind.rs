//! `TopicKind`: what ties a namespace to its types, on both sides of the wire.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Malformed, Topic};

/// One kind of topic. A feature implements it once in `shared`, and server and client agree from then on.
pub trait TopicKind {
    /// The part of the topic before the colon.
    const NAMESPACE: &'static str;
    /// A reader that is further behind than this many events starts over from the newest page.
    const CATCH_UP_MAX: u64 = 500;
    /// What is published there.
    type Event: Serialize + DeserializeOwned + Clone + 'static;
    /// What is said there in passing, such as "typing"; `()` where nothing is.
    type Signal: Serialize + DeserializeOwned + Clone + 'static;

    /// The topic of this kind with that name.
    fn topic(name: &str) -> Result<Topic, Malformed> {
        Topic::new(Self::NAMESPACE, name)
    }
}
