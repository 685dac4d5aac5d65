//! The node is down for a moment while all readers are connected. Measures the time until all of them have every event,
//! and the reads of the log.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::crowd::ReaderCrowd;
use crate::publishing::{TOPIC, publish_at, writer};
use crate::support::probe;
use crate::{must_hold, node};

const OUTAGE: Duration = Duration::from_secs(2);
const BYTES: usize = 200;
/// The numbers of events published before the readers connect, right before the node is killed, and as soon as it is
/// back.
const EVENTS: [usize; 3] = [50, 20, 20];
const FAST: u32 = 1_000;
const BACK_WITHIN: Duration = Duration::from_secs(15);
const LOG_READS_MAX: u64 = 200;

/// Runs the scenario. Returns true if all conditions hold.
pub async fn run(sockets: usize) -> bool {
    println!("reconnect: {sockets} sockets, the node is down for {} s", OUTAGE.as_secs());
    let mut server = node::start(sockets);
    let topic = probe(TOPIC);
    let writer = writer(&server).await;
    publish_at(&writer, "first", FAST, BYTES, EVENTS[0]).await;
    let gathering = Instant::now();
    let crowd = ReaderCrowd::gather(&server, &topic, sockets).await;
    println!("  all connected after {:.1} s: {}", gathering.elapsed().as_secs_f64(), node::cost(&server));
    publish_at(&writer, "before", FAST, BYTES, EVENTS[1]).await;
    server.kill();
    let pulls = crowd.sum(|counts| &counts.pulls);
    let pushed = crowd.sum(|counts| &counts.pushed);
    sleep(OUTAGE).await;
    server.restart();

    let newest = publish_at(&writer, "after", FAST, BYTES, EVENTS[2]).await;
    let elapsed = crowd.wait_for_seq(newest).await;
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
        must_hold(
            &format!("all had every event after {:.1} s", elapsed.as_secs_f64()),
            elapsed <= BACK_WITHIN,
        ),
        must_hold("each once and in order", wrong == 0),
        must_hold("fewer than 200 reads of the log", from_log < LOG_READS_MAX),
    ];
    all == [true; 3]
}
