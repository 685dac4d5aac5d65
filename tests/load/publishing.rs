//! Publishing at a given rate or as fast as possible. Each event carries the time at which its publish began.

use std::sync::LazyLock;
use std::time::Duration;

use shared::{Ack, Event, Seq};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until};

use crate::support::{Person, TestServer};

/// The name of the topic.
pub const TOPIC: &str = "load";
/// The number of writers that publish as fast as possible.
const WRITERS: usize = 16;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Returns the time since the publish of an event began.
pub fn age_micros(event: &Event) -> u64 {
    let text = event.payload.as_json().trim_start_matches(|character: char| !character.is_ascii_digit());
    let stamp = text.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default();
    let began: u64 = stamp.parse().expect("every text begins with a timestamp");
    (START.elapsed().as_micros() as u64).saturating_sub(began)
}

/// Signs in a writer who keeps connections open.
pub async fn writer(server: &TestServer) -> Person {
    server.guest("Writer").await.with_open_connections()
}

/// Publishes `count` events of `bytes` at `per_sec`, without waiting for the answers in between. Returns the newest
/// seq.
pub async fn publish_at(writer: &Person, prefix: &str, per_sec: u32, bytes: usize, count: usize) -> Seq {
    let mut ticks = interval(Duration::from_secs(1) / per_sec);
    let mut publishes = JoinSet::new();
    for number in 0..count {
        ticks.tick().await;
        let writer = writer.clone();
        let key = format!("{prefix}{number}");
        publishes.spawn(async move { publish(&writer, &key, bytes).await });
    }
    publishes.join_all().await.into_iter().max().unwrap_or_default()
}

/// Publishes as fast as the node accepts it for a time. Returns the newest seq.
pub async fn saturate(server: &TestServer, bytes: usize, duration: Duration) -> Seq {
    let until = Instant::now() + duration;
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let writer = writer(server).await;
        writers.spawn(async move {
            let mut newest = Seq::ZERO;
            for number in 0.. {
                if Instant::now() >= until {
                    break;
                }
                newest = publish(&writer, &format!("k{number}"), bytes).await;
            }
            newest
        });
    }
    sleep_until(until).await;
    writers.join_all().await.into_iter().max().unwrap_or_default()
}

async fn publish(writer: &Person, key: &str, bytes: usize) -> Seq {
    let stamp = format!("{} ", START.elapsed().as_micros());
    let answer = writer.try_publish(TOPIC, key, &format!("{stamp}{}", "x".repeat(bytes - stamp.len()))).await;
    answer.json::<Ack>().seq
}
