//! `Author`: somebody who publishes to one topic, one event after the other, and remembers the acknowledgements, so as
//! to judge a log by them.

use std::collections::BTreeMap;

use shared::{Ack, Event, Part, Seq};

use crate::support::{Person, TestServer, probe};

/// The name of the topic.
pub const TOPIC: &str = "topic";

/// Somebody who publishes and remembers. A clone is the author of this moment, whatever the other publishes later.
#[derive(Clone)]
pub struct Author {
    /// The guest who publishes.
    pub person: Person,
    acknowledged: Vec<(Post, Seq)>,
    /// Their answer was lost, or told of a failure: the log may have them.
    unanswered: Vec<Post>,
}

/// An event to publish.
#[derive(Debug, Clone)]
struct Post {
    key: String,
    text: String,
}

impl Author {
    /// A guest who has published nothing yet.
    pub async fn arrives(server: &TestServer) -> Author {
        let person = server.guest("Ada").await;
        Author { person, acknowledged: Vec::new(), unanswered: Vec::new() }
    }

    /// Publishes `count` events, and stops at the first that is not acknowledged; true if all are.
    pub async fn publishes(&mut self, count: usize, text: &str) -> bool {
        for _ in 0..count {
            if !self.publishes_one(text).await {
                return false;
            }
        }
        true
    }

    /// Publishes an event under a key of its own; true if it is acknowledged.
    pub async fn publishes_one(&mut self, text: &str) -> bool {
        let key = format!("k{}", self.acknowledged.len() + self.unanswered.len());
        self.asks(Post { key, text: text.to_owned() }).await
    }

    /// Asks again for all that was not acknowledged; true if all of it is now.
    pub async fn asks_again(&mut self) -> bool {
        let mut all = true;
        for post in std::mem::take(&mut self.unanswered) {
            all &= self.asks(post).await;
        }
        all
    }

    async fn asks(&mut self, post: Post) -> bool {
        let request = self.person.draft(TOPIC, &post.key, &post.text);
        let answer = self.person.try_ask(request).await;
        if let Some(answer) = answer.ok().filter(|answer| answer.status < 300) {
            self.acknowledged.push((post, answer.json::<Ack>().seq));
            return true;
        }
        self.unanswered.push(post);
        false
    }

    /// The number of events that were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// This author as they were when so many events were acknowledged: they may have asked for the next one.
    pub fn when_acknowledged(&self, count: usize) -> Author {
        let (known, later) = self.acknowledged.split_at(count);
        let unanswered = later.first().map(|(post, _)| post.clone()).into_iter().collect();
        Author { person: self.person.clone(), acknowledged: known.to_vec(), unanswered }
    }

    /// The log that a running node has of the topic holds what was acknowledged, where it was, nothing twice, no hole
    /// and nothing that was not asked for. Otherwise it says what is wrong.
    pub async fn judges(&self, server: &TestServer) -> Result<(), String> {
        let log = self.reads().await?;
        let said = |wrong: String| Err(format!("{wrong}; the node said: {}", server.log()));
        if let Some((event, seq)) = log.iter().zip(1..).find(|(event, seq)| event.seq.0 != *seq) {
            return said(format!("the log has {} where {seq} is due", event.seq));
        }
        let mut places = BTreeMap::new();
        for event in &log {
            if let Some(first) = places.insert(event.key.as_str(), event.seq) {
                return said(format!("{} is there twice: {first} and {}", event.key.as_str(), event.seq));
            }
        }
        for (Post { key, .. }, seq) in &self.acknowledged {
            let found = places.remove(key.as_str());
            if found != Some(*seq) {
                return said(format!("{key} was acknowledged as {seq} and is {found:?} of {}", log.len()));
            }
        }
        match places.keys().find(|key| !self.unanswered.iter().any(|post| post.key == **key)) {
            Some(key) => said(format!("nobody asked for {key}")),
            None => Ok(()),
        }
    }

    async fn reads(&self) -> Result<Vec<Event>, String> {
        let mut log: Vec<Event> = Vec::new();
        loop {
            let after = Part::After(Seq(log.len() as u64));
            let answer = self.person.get(&shared::endpoint::events(&probe(TOPIC), after, None, 500)).await;
            if answer.status != 200 {
                return Err(format!("the log is not read: {} {}", answer.status, answer.text()));
            }
            let page: shared::EventPage = answer.json();
            if page.events.is_empty() {
                return Ok(log);
            }
            log.extend(page.events);
        }
    }
}
