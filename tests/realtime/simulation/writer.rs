//! A person who writes: each line under a key of its own, again and again until it is acknowledged or refused.
//! Sometimes they press the button twice, and sometimes a broken client uses a key for something else.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use shared::{Ack, Key, Topic};
use tokio::time::sleep;

use super::reader::Reader;
use super::request::{self, Refusal};

/// How many lines a flood has: more than a queue and the answers beside it.
const FLOOD: u64 = 30;
/// How long nobody reads behind it, on the simulated clock: the length of a fault, which ends for no condition.
const FLOOD_STALL: Duration = Duration::from_millis(500);

/// Writes all that this person has to say.
pub async fn write(reader: Arc<Reader>) {
    let world = reader.world().clone();
    for number in 1..=world.shape.posts {
        // Mostly in bursts, which is what overflows queues.
        world.chance.pause(if world.chance.one_in(3) { 0..=9_000 } else { 0..=30 }).await;
        let post = Post::new(&reader, world.chance.pick(&world.topics), "line", number);
        if world.chance.one_in(6) {
            world.trace.count("pressed twice");
            tokio::join!(post.publish(), post.publish());
        } else {
            post.publish().await;
        }
        if world.chance.one_in(12) {
            post.reuse_key().await;
        }
    }
}

/// More lines at once than any queue holds, while nobody reads: from then on only the node's own word brings the
/// readers back to the head.
pub async fn flood(readers: &[Arc<Reader>]) {
    let world = readers[0].world().clone();
    readers.iter().for_each(|reader| reader.network.set_takes(false));
    let posts: Vec<Post> =
        (1..=FLOOD).map(|number| Post::new(&readers[0], &world.topics[0], "flood", number)).collect();
    join_all(posts.iter().map(Post::publish)).await;
    sleep(FLOOD_STALL).await;
    readers.iter().for_each(|reader| reader.network.set_takes(true));
}

struct Post {
    reader: Arc<Reader>,
    topic: Topic,
    key: Key,
    text: String,
}

impl Post {
    fn new(reader: &Arc<Reader>, topic: &Topic, what: &str, number: u64) -> Post {
        let key = Key::try_from(format!("{}-{what}-{number}", reader.identity.id)).expect("a good key");
        Post { reader: reader.clone(), topic: topic.clone(), key, text: format!("{what} {number}") }
    }

    async fn publish(&self) {
        let world = self.reader.world();
        loop {
            match request::publish(&self.reader, &self.topic, &self.key, &self.text).await {
                Ok(ack) => return self.acknowledged(ack),
                Err(Refusal::KeyReused) => {
                    return world
                        .trace
                        .broken("a retry is harmless", format_args!("{} was refused", self.key.as_str()));
                }
                Err(_) => world.chance.pause(100..=1_500).await,
            }
        }
    }

    fn acknowledged(&self, ack: Ack) {
        let (world, who) = (self.reader.world(), &self.reader.identity.id);
        world.trace.note(format_args!(
            "{who} has {} acknowledged as {} {}",
            self.key.as_str(),
            ack.topic,
            ack.seq
        ));
        world.trace.count("acknowledged");
        if let Some(other) = world.ledger.acknowledge(who, &self.key, &ack) {
            let how = format!("{}: {} {} and {}", self.key.as_str(), ack.topic, ack.seq, other.seq);
            world.trace.broken("a key has one acknowledgement", how);
        }
        self.reader.acknowledged(ack);
    }

    /// The same key for something else must be refused, unless a backup took away what it stood for.
    async fn reuse_key(&self) {
        let world = self.reader.world();
        loop {
            match request::publish(&self.reader, &self.topic, &self.key, "something else").await {
                Err(Refusal::KeyReused) => return world.trace.count("key reused"),
                Ok(_) if world.ledger.owed().iter().any(|owed| owed.key == self.key) => {
                    return world.trace.broken("a key never stands for two events", self.key.as_str());
                }
                Ok(ack) => return self.acknowledged(ack),
                Err(_) => world.chance.pause(100..=1_500).await,
            }
        }
    }
}
