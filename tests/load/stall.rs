//! A fifth of the readers stops reading for a while: the others must not notice, and those must not lose anything.

use std::time::Duration;

use tokio::time::sleep;

use crate::crowd::Crowd;
use crate::histogram::Histogram;
use crate::publishing::{TOPIC, publish_at, writer};
use crate::support::probe;
use crate::{elsewhere, must_hold, node};

const PER_SEC: u32 = 100;
const BYTES: usize = 2_000;
/// Before, while and after they stall.
const WARM: Duration = Duration::from_secs(2);
const STALL: Duration = Duration::from_secs(20);
const AFTER: Duration = Duration::from_secs(5);
/// How much slower the others may be than without anybody who stalls.
const SLOWER_MAX: f64 = 2.0;
const ROUNDS: usize = 3;

/// Twice the same, first with everybody reading; and that some times over, so that whatever else the machine does
/// falls on both.
pub async fn run(sockets: usize) -> bool {
    println!("stall: {sockets} sockets, {PER_SEC} publishes a second of {BYTES} bytes");
    let (mut calm, mut stalled, mut held) = (Histogram::default(), Histogram::default(), true);
    for _ in 0..ROUNDS {
        for (who, all) in [(Stalls::Nobody, &mut calm), (Stalls::AFifth, &mut stalled)] {
            let (seen, complete) = measure(sockets, who).await;
            *all = all.and(&seen);
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

/// What those saw who read all the time, and whether everybody got everything.
async fn measure(sockets: usize, who: Stalls) -> (Histogram, bool) {
    let (server, topic) = (node::start(sockets), probe(TOPIC));
    // What the fifth catches up with is 4 MB each, and in earnest sixty other machines read it.
    let elsewhere = elsewhere::stepping_back();
    let some = Crowd::gather_on(elsewhere.handle(), &server, &topic, sockets / 5).await;
    let others = Crowd::gather(&server, &topic, sockets - sockets / 5).await;
    println!(
        " {} of {sockets} stall; idle: {}",
        if who == Stalls::AFifth { some.len() } else { 0 },
        node::cost(&server)
    );
    let writer = writer(&server).await;
    let events = PER_SEC as usize * (WARM + STALL + AFTER).as_secs() as usize;
    let stalling = async {
        sleep(WARM).await;
        if who == Stalls::AFifth {
            some.stop_reading();
        }
        sleep(STALL).await;
        let until_then = others.latency.take();
        println!("  after the stall: {}", node::cost(&server));
        some.read_on();
        until_then
    };
    let (newest, until_then) = tokio::join!(publish_at(&writer, "k", PER_SEC, BYTES, events), stalling);
    others.until_read(newest).await;
    some.until_read(newest).await;

    let behind = some.with_any(|counts| &counts.late_heads);
    let all_along = until_then.and(&others.latency);
    println!("  the others: {all_along}");
    println!("  of which up to the end of the stall: {until_then}");
    println!("  and while those caught up:           {}", others.latency);
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
    if who == Stalls::AFifth {
        held &= must_hold("all who stalled were marked behind", behind == some.len());
    }
    elsewhere.shutdown_background();
    (all_along, held)
}
