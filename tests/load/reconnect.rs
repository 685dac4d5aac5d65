//! The node is away for a moment, with everybody connected: how soon all have every event, and what the log is asked.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::crowd::Crowd;
use crate::publishing::{TOPIC, publish_at, writer};
use crate::support::probe;
use crate::{must_hold, node};

const OUTAGE: Duration = Duration::from_secs(2);
const BYTES: usize = 200;
/// Published before anybody comes, right before the node dies, and as soon as it is back.
const EVENTS: [usize; 3] = [50, 20, 20];
const FAST: u32 = 1_000;
const BACK_WITHIN: Duration = Duration::from_secs(15);
const LOG_READS_MAX: u64 = 200;

/// See the module.
pub async fn run(sockets: usize) -> bool {
    println!("reconnect: {sockets} sockets, the node away for {} s", OUTAGE.as_secs());
    let (mut server, topic) = (node::start(sockets), probe(TOPIC));
    let writer = writer(&server).await;
    publish_at(&writer, "first", FAST, BYTES, EVENTS[0]).await;
    let gathering = Instant::now();
    let crowd = Crowd::gather(&server, &topic, sockets).await;
    println!("  all are there after {:.1} s: {}", gathering.elapsed().as_secs_f64(), node::cost(&server));
    publish_at(&writer, "before", FAST, BYTES, EVENTS[1]).await;
    server.kill();
    let (pulls, pushed) = (crowd.sum(|counts| &counts.pulls), crowd.sum(|counts| &counts.pushed));
    sleep(OUTAGE).await;
    server.restart();

    let newest = publish_at(&writer, "after", FAST, BYTES, EVENTS[2]).await;
    let took = crowd.until_read(newest).await;
    println!(
        "  {} pulls and {} pushes later: {}",
        crowd.sum(|counts| &counts.pulls) - pulls,
        crowd.sum(|counts| &counts.pushed) - pushed,
        node::cost(&server)
    );
    let wrong = crowd.sum(|counts| &counts.wrong);
    let (from_memory, from_log) = node::stop(server).await;
    println!("  {from_memory} reads were answered from memory, {from_log} from the log");
    let all = [
        must_hold(&format!("all had every event after {:.1} s", took.as_secs_f64()), took <= BACK_WITHIN),
        must_hold("each once and in order", wrong == 0),
        must_hold("the log was asked less than 200 times", from_log < LOG_READS_MAX),
    ];
    all == [true; 3]
}
