//! A fifth of the readers stops reading for a while: the others must not notice, and the fifth must not lose events.

use std::time::Duration;

use tokio::time::sleep;

use crate::crowd::ReaderCrowd;
use crate::histogram::Histogram;
use crate::publishing::{TOPIC, publish_at, writer};
use crate::support::probe;
use crate::{background, must_hold, node};

const PER_SEC: u32 = 100;
const BYTES: usize = 2_000;
/// The time before the stall.
const WARM: Duration = Duration::from_secs(2);
/// The time of the stall.
const STALL: Duration = Duration::from_secs(20);
/// The time after the stall.
const AFTER: Duration = Duration::from_secs(5);
/// The others may be slower than in calm runs by this factor.
const SLOWER_MAX: f64 = 2.0;
const ROUNDS: usize = 3;

/// Runs the scenario: a calm run and a run with a stall, several times in turn, so that other work of the machine
/// affects both. Returns true if all conditions hold.
pub async fn run(sockets: usize) -> bool {
    println!("stall: {sockets} sockets, {PER_SEC} publishes a second of {BYTES} bytes");
    let mut calm = Histogram::default();
    let mut stalled = Histogram::default();
    let mut held = true;
    for _ in 0..ROUNDS {
        for (stalls, all) in [(Stalls::Nobody, &mut calm), (Stalls::AFifth, &mut stalled)] {
            let (seen, complete) = measure(sockets, stalls).await;
            *all = all.merge(&seen);
            held &= complete;
        }
    }
    println!(" the others, nobody stalls: {calm}\n the others, a fifth stalls: {stalled}");
    let times = stalled.quantile(0.99).as_secs_f64() / calm.quantile(0.99).as_secs_f64();
    let line = format!("the others' p99 is {times:.2} times that of the calm runs");
    held & must_hold(&line, times <= SLOWER_MAX)
}

#[derive(Clone, Copy, PartialEq)]
enum Stalls {
    Nobody,
    AFifth,
}

/// Measures one run. Returns the latencies of the readers that do not stall, and true if all conditions hold.
async fn measure(sockets: usize, stalls: Stalls) -> (Histogram, bool) {
    let server = node::start(sockets);
    let topic = probe(TOPIC);
    // Each reader of the fifth catches up on 4 MB. In production these would be sixty other machines.
    let background = background::idle_runtime();
    let some = ReaderCrowd::gather_on(background.handle(), &server, &topic, sockets / 5).await;
    let others = ReaderCrowd::gather(&server, &topic, sockets - sockets / 5).await;
    println!(
        " {} of {sockets} stall; idle: {}",
        if stalls == Stalls::AFifth { some.len() } else { 0 },
        node::cost(&server)
    );
    let writer = writer(&server).await;
    let events = PER_SEC as usize * (WARM + STALL + AFTER).as_secs() as usize;
    let stalling = async {
        sleep(WARM).await;
        if stalls == Stalls::AFifth {
            some.stop_reading();
        }
        sleep(STALL).await;
        let before_resume = others.latency.take();
        println!("  after the stall: {}", node::cost(&server));
        some.resume_reading();
        before_resume
    };
    let (newest, before_resume) = tokio::join!(publish_at(&writer, "k", PER_SEC, BYTES, events), stalling);
    others.wait_for_seq(newest).await;
    some.wait_for_seq(newest).await;

    let behind = some.with_any(|counts| &counts.late_heads);
    let total = before_resume.merge(&others.latency);
    println!("  the others: {total}");
    println!("    until the end of the stall:   {before_resume}");
    println!("    while the fifth catches up:   {}", others.latency);
    println!(
        "  they were marked behind {} times, and pulled {} pages",
        others.sum(|counts| &counts.late_heads),
        others.sum(|counts| &counts.pulls)
    );
    println!("  the fifth:  {}", some.latency);
    println!(
        "  {behind} of them were marked behind, and pulled {} pages; {}",
        some.sum(|counts| &counts.pulls),
        node::cost(&server)
    );
    let wrong = some.sum(|counts| &counts.wrong) + others.sum(|counts| &counts.wrong);
    let mut held = must_hold(&format!("everybody has all {newest} events, once and in order"), wrong == 0);
    if stalls == Stalls::AFifth {
        held &= must_hold("all readers that stalled were marked as behind", behind == some.len());
    }
    background.shutdown_background();
    (total, held)
}
