//! People who publish one event after the other, and ask again with the same key until each is acknowledged.

use std::ops::Range;
use std::time::Duration;

use serde_json::json;
use shared::{Ack, UserId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{Answer, Dice, Person};

/// How long to wait for an answer. It may have been lost, so the same key is sent again.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// An event that takes so many attempts is not on its way any more.
const ATTEMPTS_MAX: usize = 600;
/// How long a writer thinks about the next event, in milliseconds.
const THINKS: Range<u64> = 1..400;

/// What a writer was told.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// Who wrote it.
    pub author: UserId,
    /// Under which key.
    pub key: String,
    /// What they wrote, as JSON.
    pub payload: String,
    /// Where it is.
    pub ack: Ack,
    /// Whether an answer before this one was lost.
    pub replayed: bool,
}

/// See the module.
pub struct Writers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Vec<Acknowledged>>,
}

impl Writers {
    /// They begin at once.
    pub fn begin(people: Vec<Person>, seed: u64) -> Writers {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (person, number) in people.into_iter().zip(1..) {
            tasks.spawn(write(person, Dice::new(seed << 16 | number), stopped.clone()));
        }
        Writers { stop, tasks }
    }

    /// Nobody begins another event. Returns what they were told, once the last is acknowledged.
    pub async fn end(self) -> Vec<Acknowledged> {
        self.stop.send_replace(true);
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

async fn write(person: Person, mut dice: Dice, stopped: watch::Receiver<bool>) -> Vec<Acknowledged> {
    let mut told = Vec::new();
    while !*stopped.borrow() {
        let (author, key) = (person.identity.id.clone(), format!("k{}", told.len()));
        let payload = json!({ "text": format!("{author} writes {key}") });
        let answer = publish(&person, &key, payload["text"].as_str().expect("it is text")).await;
        let (ack, replayed) = (answer.json(), answer.status == 200);
        told.push(Acknowledged { author, key, payload: payload.to_string(), ack, replayed });
        sleep(dice.millis(THINKS)).await;
    }
    told
}

async fn publish(person: &Person, key: &str, text: &str) -> Answer {
    for _ in 0..ATTEMPTS_MAX {
        match tokio::time::timeout(ANSWER_WITHIN, try_publish(person, key, text)).await {
            Ok(Ok(answer)) if answer.status < 300 => return answer,
            Ok(Ok(answer)) => assert!(answer.problem().code.is_temporary(), "{}", answer.text()),
            Ok(Err(_)) | Err(_) => {}
        }
        sleep(ASK_AGAIN).await;
    }
    panic!("{} was not acknowledged within {ATTEMPTS_MAX} attempts", key);
}

async fn try_publish(person: &Person, key: &str, text: &str) -> Result<Answer, reqwest::Error> {
    Answer::of(person.draft("topic", key, text).send().await?).await
}
