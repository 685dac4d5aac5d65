//! Many sockets with many topics each lose their connections and come back at once: what publishes take meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shared::{ClientFrame, Listed, ServerFrame};
use tokio::sync::watch;
use tokio::time::{Instant, interval};

use crate::histogram::Histogram;
use crate::publishing::{TOPIC, writer};
use crate::support::{Person, Socket, eventually, probe, read_frame};
use crate::{elsewhere, must_hold, node};

const TOPICS_EACH: usize = 20;
/// Each has many of the sockets.
const PEOPLE: usize = 20;
const PUBLISH_EVERY: Duration = Duration::from_millis(20);
const QUIET: Duration = Duration::from_secs(10);
/// Longer than the seats of those who left are kept for them.
const STORM: Duration = Duration::from_secs(12);
const SLOWER_MAX: f64 = 2.0;

/// Lets so many sockets lose their connections at once; true if publishes took no more than twice as long.
pub async fn run(sockets: usize) -> bool {
    println!("storm: {sockets} sockets with {TOPICS_EACH} topics each, all away and back at once");
    let server = node::start(sockets);
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(server.guest(&format!("Reader {number}")).await);
    }
    let (elsewhere, writer) = (elsewhere::stepping_back(), writer(&server).await);
    let (times_cut, cut) = watch::channel(());
    let there = Arc::<AtomicUsize>::default();
    for number in 0..sockets {
        let person = people[number % PEOPLE].clone();
        elsewhere.spawn(come_again(person, number, cut.clone(), there.clone()));
    }
    let all_are_there = async |times: usize| {
        let enough = || there.load(Ordering::Relaxed) >= times * sockets;
        eventually("all are there", async || enough().then_some(())).await;
    };
    all_are_there(1).await;
    println!("  all are there: {}", node::cost(&server));
    let quiet = publish_for(&writer, "quiet", QUIET).await;
    times_cut.send_replace(());
    let storm = publish_for(&writer, "storm", STORM).await;
    all_are_there(2).await;
    println!("  all are back: {}", node::cost(&server));
    println!("  publishes when quiet: {quiet}");
    println!("  publishes meanwhile: {storm}");
    elsewhere.shutdown_background();
    let slower = storm.quantile(0.5).as_secs_f64() / quiet.quantile(0.5).as_secs_f64();
    must_hold(&format!("the median is {slower:.2} times what it was"), slower <= SLOWER_MAX)
}

/// Connects, listens to its topics, and does so again when it is cut; counts each time that it hears all heads.
async fn come_again(person: Person, number: usize, mut cut: watch::Receiver<()>, there: Arc<AtomicUsize>) {
    loop {
        let mut socket = Socket::open(&person, &[]).await.unwrap();
        for topic in 0..TOPICS_EACH {
            let topic = probe(&format!("t{}", number * TOPICS_EACH + topic));
            socket.says(&ClientFrame::Subscribe { topic, listed: Listed::Yes }).await;
        }
        let mut heads = 0;
        let listens = async {
            while let Some(Ok(message)) = socket.next().await {
                match read_frame(message.to_text().unwrap()) {
                    ServerFrame::Ping { at } => socket.says(&ClientFrame::Pong { at }).await,
                    ServerFrame::Head { .. } => {
                        heads += 1;
                        if heads == TOPICS_EACH {
                            there.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    _ => {}
                }
            }
        };
        tokio::select! {
            () = listens => {}
            _ = cut.changed() => {}
        }
    }
}

async fn publish_for(writer: &Person, prefix: &str, lasting: Duration) -> Histogram {
    let (took, until, mut times) = (Histogram::default(), Instant::now() + lasting, interval(PUBLISH_EVERY));
    for number in 0.. {
        times.tick().await;
        if Instant::now() >= until {
            break;
        }
        let began = Instant::now();
        let answer = writer.publish(TOPIC, &format!("{prefix}{number}"), "hello").await;
        assert_eq!(answer.status, 201);
        took.add(began.elapsed().as_micros() as u64);
    }
    took
}
