//! `Author`: a guest who publishes to one topic, one event after the other, and remembers the acknowledgements, to
//! check a log against them.

use std::collections::BTreeMap;

use shared::{Ack, Event, Part, Seq};

use crate::support::{Person, TestServer, probe};

/// The name of the topic.
pub const TOPIC: &str = "topic";

/// An author with everything that they have published. A clone keeps the state of this moment.
#[derive(Clone)]
pub struct Author {
    pub person: Person,
    acknowledged: Vec<(PublishAttempt, Seq)>,
    /// Publishes whose answer was lost or reported a failure. The log may contain them.
    unanswered: Vec<PublishAttempt>,
}

/// An event that the author has tried to publish.
#[derive(Debug, Clone)]
struct PublishAttempt {
    key: String,
    text: String,
}

impl Author {
    /// Signs in a guest who has published nothing yet.
    pub async fn new(server: &TestServer) -> Author {
        let person = server.guest("Ada").await;
        Author { person, acknowledged: Vec::new(), unanswered: Vec::new() }
    }

    /// Publishes `count` events, and stops at the first that is not acknowledged. Returns true if all are.
    pub async fn publish(&mut self, count: usize, text: &str) -> bool {
        for _ in 0..count {
            if !self.publish_one(text).await {
                return false;
            }
        }
        true
    }

    /// Publishes an event under a new key. Returns true if it is acknowledged.
    pub async fn publish_one(&mut self, text: &str) -> bool {
        let key = format!("k{}", self.acknowledged.len() + self.unanswered.len());
        self.attempt(PublishAttempt { key, text: text.to_owned() }).await
    }

    /// Retries all publishes that were not acknowledged. Returns true if all of them are now.
    pub async fn retry_unanswered(&mut self) -> bool {
        let mut all = true;
        for attempt in std::mem::take(&mut self.unanswered) {
            all &= self.attempt(attempt).await;
        }
        all
    }

    async fn attempt(&mut self, attempt: PublishAttempt) -> bool {
        let request = self.person.draft(TOPIC, &attempt.key, &attempt.text);
        let answer = self.person.try_ask(request).await;
        if let Some(answer) = answer.ok().filter(|answer| answer.status < 300) {
            self.acknowledged.push((attempt, answer.json::<Ack>().seq));
            return true;
        }
        self.unanswered.push(attempt);
        false
    }

    /// Returns the number of acknowledged events.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Returns the author as of the moment when `count` events were acknowledged. The next one may have been sent.
    pub fn when_acknowledged(&self, count: usize) -> Author {
        let (known, later) = self.acknowledged.split_at(count);
        let unanswered = match later.first() {
            Some((attempt, _)) => vec![attempt.clone()],
            None => Vec::new(),
        };
        Author { person: self.person.clone(), acknowledged: known.to_vec(), unanswered }
    }

    /// Checks the topic's log on a running node: it has every acknowledged event at its place, no event twice, no gap,
    /// and no event that the author did not publish. Returns a description of the first problem.
    pub async fn check_log(&self, server: &TestServer) -> Result<(), String> {
        let log = self.read_log().await?;
        let fail = |problem: String| Err(format!("{problem}; the node's stderr: {}", server.stderr()));
        if let Some((event, seq)) = log.iter().zip(1..).find(|(event, seq)| event.seq.0 != *seq) {
            return fail(format!("the log has {} in place of {seq}", event.seq));
        }
        let mut places = BTreeMap::new();
        for event in &log {
            if let Some(first) = places.insert(event.key.as_str(), event.seq) {
                return fail(format!("{} is there twice: {first} and {}", event.key.as_str(), event.seq));
            }
        }
        for (PublishAttempt { key, .. }, seq) in &self.acknowledged {
            let found = places.remove(key.as_str());
            if found != Some(*seq) {
                return fail(format!("{key} was acknowledged as {seq} and is {found:?} of {}", log.len()));
            }
        }
        match places.keys().find(|key| !self.unanswered.iter().any(|attempt| attempt.key == **key)) {
            Some(key) => fail(format!("the author did not publish {key}")),
            None => Ok(()),
        }
    }

    async fn read_log(&self) -> Result<Vec<Event>, String> {
        let mut log: Vec<Event> = Vec::new();
        loop {
            let after = Part::After(Seq(log.len() as u64));
            let answer = self.person.get(&shared::endpoint::events(&probe(TOPIC), after, None, 500)).await;
            if answer.status != 200 {
                return Err(format!("the log cannot be read: {} {}", answer.status, answer.text()));
            }
            let page: shared::EventPage = answer.json();
            if page.events.is_empty() {
                return Ok(log);
            }
            log.extend(page.events);
        }
    }
}
