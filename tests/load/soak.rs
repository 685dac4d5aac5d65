//! The same crowd comes, reads and leaves, again and again: what the node holds must come back to where it was.

use std::fs;
use std::path::PathBuf;

use crate::crowd::Crowd;
use crate::publishing::{TOPIC, publish_at, writer};
use crate::support::wait::try_eventually;
use crate::support::{TestServer, probe};
use crate::{must_hold, node};

const ROUNDS: usize = 12;
/// After so many of them every cache is as full as it gets.
const WARM: usize = 4;
const PER_SEC: u32 = 100;
const EVENTS: usize = 1_000;
const BYTES: usize = 1_000;
/// Pages of memory that the allocator keeps vary by a little from round to round.
const GROWTH_MAX: f64 = 1.1;

/// Resources that a node holds while nobody is connected.
#[derive(Clone, Copy)]
struct Held {
    files: usize,
    bytes: u64,
}

/// The scenario: crowds come and go, and nothing of them stays.
pub async fn run(sockets: usize) -> bool {
    println!("soak: {ROUNDS} times {sockets} sockets come, read {EVENTS} events in 10 s, and leave");
    let server = node::start(sockets);
    let (idle, mut wrong, mut all) = (open(&server).1, 0, Vec::new());
    for round in 1..=ROUNDS {
        wrong += come_and_go(&server, sockets, round).await;
        let is_idle = async || (open(&server).1 <= idle).then_some(());
        let are_gone = try_eventually(is_idle).await.is_some();
        let held = Held { files: open(&server).0, bytes: server.rss_bytes() };
        println!("  round {round}: {} files, {} KiB", held.files, held.bytes >> 10);
        if !must_hold("all connections are gone", are_gone) {
            return false;
        }
        all.push(held);
    }
    let (warm, later) = all.split_at(WARM);
    let most = |part: &[Held]| {
        let files = part.iter().map(|held| held.files).max().unwrap_or_default();
        (files, part.iter().map(|held| held.bytes).max().unwrap_or_default())
    };
    let ((files, bytes), (files_later, bytes_later)) = (most(warm), most(later));
    let growth = bytes_later as f64 / bytes as f64;
    let held = [
        must_hold(&format!("no more than {files} files are open"), files_later <= files),
        must_hold(&format!("memory is {growth:.2} times what it was"), growth <= GROWTH_MAX),
        must_hold("everybody had every event, once and in order", wrong == 0),
    ];
    held == [true; 3]
}

/// One round; returns how many events were out of order, doubled or missing.
async fn come_and_go(server: &TestServer, sockets: usize, round: usize) -> u64 {
    let crowd = Crowd::gather(server, &probe(TOPIC), sockets).await;
    let writer = writer(server).await;
    let newest = publish_at(&writer, &format!("round-{round}-"), PER_SEC, BYTES, EVENTS).await;
    crowd.until_read(newest).await;
    crowd.sum(|counts| &counts.wrong)
}

/// The open files of a node, and how many of them are sockets.
fn open(server: &TestServer) -> (usize, usize) {
    let folder = format!("/proc/{}/fd", server.pid());
    let files = fs::read_dir(folder).expect("open files are counted on Linux");
    // What was closed meanwhile leads nowhere.
    let targets: Vec<_> = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok()).collect();
    let is_socket = |target: &&PathBuf| target.to_string_lossy().starts_with("socket:");
    (targets.len(), targets.iter().filter(is_socket).count())
}
