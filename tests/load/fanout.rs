//! One busy topic: measures the deliveries per second, and the processor time of a million deliveries.

use std::time::Duration;

use tokio::time::Instant;

use crate::crowd::ReaderCrowd;
use crate::publishing::{TOPIC, publish_at, saturate, writer};
use crate::support::probe;
use crate::{must_hold, node};

const BYTES: usize = 100;
const LASTING: Duration = Duration::from_secs(10);
const PER_SEC: u32 = 20;

/// Runs the scenario, first with one event at a time, then as fast as possible. Returns true if all conditions hold.
pub async fn run(sockets: usize) -> bool {
    println!("fanout: {sockets} sockets, {BYTES} bytes");
    let paced = measure(sockets, Pace::OneAtATime).await;
    let saturated = measure(sockets, Pace::Saturated).await;
    paced && saturated
}

#[derive(Clone, Copy, PartialEq)]
enum Pace {
    OneAtATime,
    Saturated,
}

async fn measure(sockets: usize, pace: Pace) -> bool {
    let server = node::start(sockets);
    let topic = probe(TOPIC);
    let crowd = ReaderCrowd::gather(&server, &topic, sockets).await;
    let start = Instant::now();
    let before = node::cpu_secs(&server);
    let newest = match pace {
        Pace::OneAtATime => {
            let events = PER_SEC as usize * LASTING.as_secs() as usize;
            publish_at(&writer(&server).await, "k", PER_SEC, BYTES, events).await
        }
        Pace::Saturated => saturate(&server, BYTES, LASTING).await,
    };
    crowd.wait_for_seq(newest).await;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = node::cpu_secs(&server) - before;
    let deliveries = newest.0 as f64 * crowd.len() as f64;
    let pushed = crowd.sum(|counts| &counts.pushed) as f64;

    println!(
        " {}: {newest} events in {seconds:.1} s",
        if pace == Pace::Saturated { "as fast as it goes" } else { "one at a time" }
    );
    println!(
        "  {:.0} deliveries a second, {:.1} % of them pushed",
        deliveries / seconds,
        100.0 * pushed / deliveries
    );
    println!(
        "  {:.2} processor seconds for a million deliveries; {}",
        cpu * 1e6 / deliveries,
        node::cost(&server)
    );
    println!("  {}", crowd.latency);
    must_hold("everybody has all of them, once and in order", crowd.sum(|counts| &counts.wrong) == 0)
}
