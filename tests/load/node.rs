//! The node under load: starts it without the limits that many clients on one address would reach, and measures it.

use std::fs;

use crate::support::TestServer;

const FLAGS: [&str; 12] = [
    "--address-readers-max",
    "20000",
    "--address-connections-max",
    "20000",
    "--address-accounts-per-min",
    "1000000",
    "--identity-publishes-per-sec",
    "1000000",
    "--address-bytes-max",
    "1000000000",
    "--node-sockets-max",
    "20000",
];

/// The number of file descriptors that are not sockets of readers, with a margin for requests.
const FILES_BESIDE: usize = 1_000;

/// Starts a release build of the node that may have this many sockets.
pub fn start(sockets: usize) -> TestServer {
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build, whose results mean little: use cargo run --release");
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let files = files.and_then(|line| line.split_whitespace().next()?.parse().ok());
    // A reader that pulls has a second connection for a short time.
    let needed = 2 * sockets + FILES_BESIDE;
    if let Some(files) = files.filter(|files: &usize| *files < needed) {
        eprintln!("a limit of {files} open files is too low for {sockets} sockets: ulimit -n {needed}");
    }
    TestServer::with(&FLAGS)
}

/// Describes the memory and the processor time of the node in one line.
pub fn cost(server: &TestServer) -> String {
    let mib = |bytes: u64| bytes >> 20;
    format!("{} MiB, {:.1} processor seconds", mib(server.rss_bytes()), cpu_secs(server))
}

/// Returns the processor time that the current process has used.
pub fn cpu_secs(server: &TestServer) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.pid()))
        .expect("processor time is measured on Linux");
    // The 12th and 13th field after the name, which may contain anything, in hundredths of a second.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().expect("Linux reports numbers")).sum::<f64>() / 100.0
}

/// Stops the node gracefully. Returns the number of reads that were answered from memory and from the log.
pub async fn stop(mut server: TestServer) -> (u64, u64) {
    server.terminate();
    server.ended().await;
    (final_count(&server, "pulls_from_memory="), final_count(&server, "pulls_from_log="))
}

/// Returns a number of the line that a node writes when it stops.
fn final_count(server: &TestServer, name: &str) -> u64 {
    let stderr = server.stderr();
    let count = stderr.rsplit_once(name).and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    count.unwrap_or_else(|| panic!("the node did not write {name}: {stderr}"))
}
