//! Many sockets with many topics each lose their connections and reconnect at once: measures the latency of publishes
//! during that time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shared::{ClientFrame, Listed, ServerFrame};
use tokio::sync::watch;
use tokio::time::{Instant, interval};

use crate::histogram::Histogram;
use crate::publishing::{TOPIC, writer};
use crate::support::{Person, Socket, eventually, probe, read_frame};
use crate::{background, must_hold, node};

const TOPICS_EACH: usize = 20;
/// The number of accounts, which share the sockets.
const ACCOUNTS: usize = 20;
const PUBLISH_EVERY: Duration = Duration::from_millis(20);
const QUIET: Duration = Duration::from_secs(10);
/// Longer than a lost member is kept in presence.
const STORM: Duration = Duration::from_secs(12);
const SLOWER_MAX: f64 = 2.0;

/// Runs the scenario. Returns true if publishes took no more than twice as long as before.
pub async fn run(sockets: usize) -> bool {
    println!("storm: {sockets} sockets with {TOPICS_EACH} topics each, all reconnect at once");
    let server = node::start(sockets);
    let mut accounts = Vec::new();
    for number in 0..ACCOUNTS {
        accounts.push(server.guest(&format!("Reader {number}")).await);
    }
    let background = background::idle_runtime();
    let writer = writer(&server).await;
    let (cut, was_cut) = watch::channel(());
    let connected = Arc::<AtomicUsize>::default();
    for number in 0..sockets {
        let person = accounts[number % ACCOUNTS].clone();
        background.spawn(reconnect_forever(person, number, was_cut.clone(), connected.clone()));
    }
    let wait_for_all = async |times: usize| {
        let enough = || connected.load(Ordering::Relaxed) >= times * sockets;
        eventually("all are connected", async || enough().then_some(())).await;
    };
    wait_for_all(1).await;
    println!("  all connected: {}", node::cost(&server));
    let quiet = publish_for(&writer, "quiet", QUIET).await;
    cut.send_replace(());
    let storm = publish_for(&writer, "storm", STORM).await;
    wait_for_all(2).await;
    println!("  all reconnected: {}", node::cost(&server));
    println!("  publishes when quiet: {quiet}");
    println!("  publishes in the storm: {storm}");
    background.shutdown_background();
    let slower = storm.quantile(0.5).as_secs_f64() / quiet.quantile(0.5).as_secs_f64();
    must_hold(&format!("the median is {slower:.2} times what it was"), slower <= SLOWER_MAX)
}

/// Connects, subscribes to its topics, and does so again whenever it is cut. Counts each time that it has received all
/// heads.
async fn reconnect_forever(
    person: Person,
    number: usize,
    mut was_cut: watch::Receiver<()>,
    connected: Arc<AtomicUsize>,
) {
    loop {
        let mut socket = Socket::open(&person, &[]).await.unwrap();
        for topic in 0..TOPICS_EACH {
            let topic = probe(&format!("t{}", number * TOPICS_EACH + topic));
            socket.send_frame(&ClientFrame::Subscribe { topic, listed: Listed::Yes }).await;
        }
        let mut heads = 0;
        let listen = async {
            while let Some(Ok(message)) = socket.next().await {
                match read_frame(message.to_text().unwrap()) {
                    ServerFrame::Ping { at } => socket.send_frame(&ClientFrame::Pong { at }).await,
                    ServerFrame::Head { .. } => {
                        heads += 1;
                        if heads == TOPICS_EACH {
                            connected.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    _ => {}
                }
            }
        };
        tokio::select! {
            () = listen => {}
            _ = was_cut.changed() => {}
        }
    }
}

async fn publish_for(writer: &Person, prefix: &str, duration: Duration) -> Histogram {
    let latencies = Histogram::default();
    let until = Instant::now() + duration;
    let mut times = interval(PUBLISH_EVERY);
    for number in 0.. {
        times.tick().await;
        if Instant::now() >= until {
            break;
        }
        let began = Instant::now();
        let answer = writer.try_publish(TOPIC, &format!("{prefix}{number}"), "hello").await;
        assert_eq!(answer.status, 201);
        latencies.add(began.elapsed().as_micros() as u64);
    }
    latencies
}
