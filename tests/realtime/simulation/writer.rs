//! A user who writes: each line under its own idempotency key, retried until it is acknowledged or refused. Sometimes
//! they press the button twice, and sometimes a broken client reuses a key for something else.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use shared::{Ack, Key, Topic};
use tokio::time::sleep;

use super::reader::Reader;
use super::request::{self, RequestError};

/// The number of lines in a flood: more than a mailbox holds, including the answers in it.
const FLOOD_LINES: u64 = 30;
/// On the simulated clock, all readers stop reading for this long after a flood. It is the length of a fault: nothing
/// waits for a condition.
const FLOOD_STALL: Duration = Duration::from_millis(500);

/// Writes all lines of one reader.
pub async fn write(reader: Arc<Reader>) {
    let world = reader.world().clone();
    for number in 1..=world.sizes.publications {
        // Mostly in bursts, since they overflow mailboxes.
        world.rng.sleep(if world.rng.one_in(3) { 0..=9_000 } else { 0..=30 }).await;
        let publication = Publication::new(&reader, world.rng.choose(&world.topics), "line", number);
        if world.rng.one_in(6) {
            world.trace.count("pressed twice");
            tokio::join!(publication.publish(), publication.publish());
        } else {
            publication.publish().await;
        }
        if world.rng.one_in(12) {
            publication.reuse_key().await;
        }
    }
}

/// Publishes more lines at once than any mailbox holds, while nobody reads. Afterwards only the node's heads tell the
/// readers that they are behind.
pub async fn flood(readers: &[Arc<Reader>]) {
    let world = readers[0].world().clone();
    readers.iter().for_each(|reader| reader.network.set_reading(false));
    let publications: Vec<Publication> = (1..=FLOOD_LINES)
        .map(|number| Publication::new(&readers[0], &world.topics[0], "flood", number))
        .collect();
    join_all(publications.iter().map(Publication::publish)).await;
    sleep(FLOOD_STALL).await;
    readers.iter().for_each(|reader| reader.network.set_reading(true));
}

/// One line, with the key under which it is published.
struct Publication {
    reader: Arc<Reader>,
    topic: Topic,
    key: Key,
    text: String,
}

impl Publication {
    fn new(reader: &Arc<Reader>, topic: &Topic, kind: &str, number: u64) -> Publication {
        let key = Key::try_from(format!("{}-{kind}-{number}", reader.identity.id)).expect("a valid key");
        Publication { reader: reader.clone(), topic: topic.clone(), key, text: format!("{kind} {number}") }
    }

    async fn publish(&self) {
        let world = self.reader.world();
        loop {
            match request::publish(&self.reader, &self.topic, &self.key, &self.text).await {
                Ok(ack) => return self.acknowledged(ack),
                Err(RequestError::KeyReused) => {
                    let details = format_args!("{} was refused", self.key.as_str());
                    return world.trace.violation("a retry is harmless", details);
                }
                Err(_) => world.rng.sleep(100..=1_500).await,
            }
        }
    }

    fn acknowledged(&self, ack: Ack) {
        let world = self.reader.world();
        let user = &self.reader.identity.id;
        let key = self.key.as_str();
        world.trace.note(format_args!("{user}: {key} is acknowledged as {} {}", ack.topic, ack.seq));
        world.trace.count("acknowledged");
        if let Some(other) = world.history.record_ack(user, &self.key, &ack) {
            let details = format!("{key}: {} {} and {}", ack.topic, ack.seq, other.seq);
            world.trace.violation("a key has one acknowledgement", details);
        }
        self.reader.acknowledged(ack);
    }

    /// Publishes something else under the same key. It must be refused, unless a restored backup has lost the event
    /// that the key stood for.
    async fn reuse_key(&self) {
        let world = self.reader.world();
        loop {
            match request::publish(&self.reader, &self.topic, &self.key, "something else").await {
                Err(RequestError::KeyReused) => return world.trace.count("key reused"),
                Ok(_) if world.history.binding_acks().iter().any(|known| known.key == self.key) => {
                    return world.trace.violation("a key never stands for two events", self.key.as_str());
                }
                Ok(ack) => return self.acknowledged(ack),
                Err(_) => world.rng.sleep(100..=1_500).await,
            }
        }
    }
}
