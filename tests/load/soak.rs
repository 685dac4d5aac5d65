//! The same crowd connects, reads and leaves, many times: the node's memory and open files must return to their initial
//! values.

use std::fs;
use std::path::PathBuf;

use crate::crowd::ReaderCrowd;
use crate::publishing::{TOPIC, publish_at, writer};
use crate::support::wait::try_eventually;
use crate::support::{TestServer, probe};
use crate::{must_hold, node};

const ROUNDS: usize = 12;
/// After this many rounds every cache is full.
const WARM: usize = 4;
const PER_SEC: u32 = 100;
const EVENTS: usize = 1_000;
const BYTES: usize = 1_000;
/// The memory that the allocator keeps varies a little from round to round.
const GROWTH_MAX: f64 = 1.1;

/// Resources that a node holds while nobody is connected.
#[derive(Clone, Copy)]
struct Resources {
    files: usize,
    bytes: u64,
}

/// Runs the scenario. Returns true if all conditions hold.
pub async fn run(sockets: usize) -> bool {
    println!("soak: {ROUNDS} times {sockets} sockets connect, read {EVENTS} events in 10 s, and leave");
    let server = node::start(sockets);
    let idle = open_files(&server).1;
    let mut wrong = 0;
    let mut all = Vec::new();
    for round in 1..=ROUNDS {
        wrong += run_round(&server, sockets, round).await;
        let is_idle = async || (open_files(&server).1 <= idle).then_some(());
        let are_gone = try_eventually(is_idle).await.is_some();
        let resources = Resources { files: open_files(&server).0, bytes: server.rss_bytes() };
        println!("  round {round}: {} files, {} KiB", resources.files, resources.bytes >> 10);
        if !must_hold("all connections are gone", are_gone) {
            return false;
        }
        all.push(resources);
    }
    let (warm, later) = all.split_at(WARM);
    let most = |part: &[Resources]| {
        let files = part.iter().map(|resources| resources.files).max().unwrap_or_default();
        (files, part.iter().map(|resources| resources.bytes).max().unwrap_or_default())
    };
    let (files, bytes) = most(warm);
    let (files_later, bytes_later) = most(later);
    let growth = bytes_later as f64 / bytes as f64;
    let conditions = [
        must_hold(&format!("no more than {files} files are open"), files_later <= files),
        must_hold(&format!("memory is {growth:.2} times what it was"), growth <= GROWTH_MAX),
        must_hold("everybody had every event, once and in order", wrong == 0),
    ];
    conditions == [true; 3]
}

/// Runs one round. Returns the number of events that were out of order, duplicated or missing.
async fn run_round(server: &TestServer, sockets: usize, round: usize) -> u64 {
    let crowd = ReaderCrowd::gather(server, &probe(TOPIC), sockets).await;
    let writer = writer(server).await;
    let newest = publish_at(&writer, &format!("round-{round}-"), PER_SEC, BYTES, EVENTS).await;
    crowd.wait_for_seq(newest).await;
    crowd.sum(|counts| &counts.wrong)
}

/// Counts the open files of a node, and the sockets among them.
fn open_files(server: &TestServer) -> (usize, usize) {
    let folder = format!("/proc/{}/fd", server.pid());
    let files = fs::read_dir(folder).expect("open files are counted on Linux");
    // A file that was closed in the meantime has no target.
    let targets: Vec<_> = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok()).collect();
    let is_socket = |target: &&PathBuf| target.to_string_lossy().starts_with("socket:");
    (targets.len(), targets.iter().filter(is_socket).count())
}
