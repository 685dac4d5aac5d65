//! Writers that publish one event after the other, and retry each with the same key until it is acknowledged.

use std::ops::Range;
use std::time::Duration;

use serde_json::json;
use shared::{Ack, UserId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{Person, Rng, TestResponse};

/// After this time without an answer, a writer retries with the same key: the answer may be lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// The delay before a retry.
const RETRY_DELAY: Duration = Duration::from_millis(100);
/// An event that needs more attempts than this will never be acknowledged.
const ATTEMPTS_MAX: usize = 600;
/// The pause between two events of a writer, in milliseconds.
const PAUSE_MS: Range<u64> = 1..400;

/// An acknowledged publish.
#[derive(Debug, Clone)]
pub struct AckedPublish {
    pub author: UserId,
    pub key: String,
    /// The payload as JSON.
    pub payload: String,
    pub ack: Ack,
    /// True if an earlier answer was lost.
    pub replayed: bool,
}

/// The running writers.
pub struct Writers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Vec<AckedPublish>>,
}

impl Writers {
    /// Starts one writer for each guest.
    pub fn begin(guests: Vec<Person>, seed: u64) -> Writers {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (person, number) in guests.into_iter().zip(1..) {
            tasks.spawn(write(person, Rng::new(seed << 16 | number), stopped.clone()));
        }
        Writers { stop, tasks }
    }

    /// Lets each writer finish its current event. Returns all acknowledged publishes.
    pub async fn end(self) -> Vec<AckedPublish> {
        self.stop.send_replace(true);
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

async fn write(person: Person, mut rng: Rng, stopped: watch::Receiver<bool>) -> Vec<AckedPublish> {
    let mut acknowledged = Vec::new();
    while !*stopped.borrow() {
        let author = person.identity.id.clone();
        let key = format!("k{}", acknowledged.len());
        let payload = json!({ "text": format!("{author} writes {key}") });
        let answer = publish(&person, &key, payload["text"].as_str().expect("it is text")).await;
        let ack = answer.json();
        let replayed = answer.status == 200;
        acknowledged.push(AckedPublish { author, key, payload: payload.to_string(), ack, replayed });
        sleep(rng.millis(PAUSE_MS)).await;
    }
    acknowledged
}

async fn publish(person: &Person, key: &str, text: &str) -> TestResponse {
    for _ in 0..ATTEMPTS_MAX {
        match tokio::time::timeout(ANSWER_WITHIN, try_publish(person, key, text)).await {
            Ok(Ok(answer)) if answer.status < 300 => return answer,
            Ok(Ok(answer)) => assert!(answer.problem().code.is_temporary(), "{}", answer.text()),
            Ok(Err(_)) | Err(_) => {}
        }
        sleep(RETRY_DELAY).await;
    }
    panic!("{} was not acknowledged within {ATTEMPTS_MAX} attempts", key);
}

async fn try_publish(person: &Person, key: &str, text: &str) -> Result<TestResponse, reqwest::Error> {
    TestResponse::of(person.draft("topic", key, text).send().await?).await
}
