//! The node under load: started without the limits that many clients on one address would hit, and measured.

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

/// File descriptors that are not sockets of readers, and the requests beside them.
const FILES_BESIDE: usize = 1_000;

/// A release node with room for so many sockets.
pub fn start(sockets: usize) -> TestServer {
    if cfg!(debug_assertions) {
        eprintln!("a debug build measures itself: use cargo run --release");
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let files = files.and_then(|line| line.split_whitespace().next()?.parse().ok());
    // A reader that pulls has a second connection for a moment.
    let needed = 2 * sockets + FILES_BESIDE;
    if let Some(files) = files.filter(|files: &usize| *files < needed) {
        eprintln!("{files} open files are too few for {sockets} sockets: ulimit -n {needed}");
    }
    TestServer::with(&FLAGS)
}

/// One line of what it holds and has used.
pub fn cost(server: &TestServer) -> String {
    let mib = |bytes: u64| bytes >> 20;
    format!("{} MiB, {:.1} processor seconds", mib(server.rss_bytes()), cpu_secs(server))
}

/// The processor time that it has used in this life.
pub fn cpu_secs(server: &TestServer) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("it is measured on Linux");
    // Behind the name, which may hold anything, the 12th and 13th field, in hundredths of a second.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().expect("Linux tells numbers")).sum::<f64>() / 100.0
}

/// Stops it in order, and returns how many reads memory and the log answered.
pub async fn stop(mut server: TestServer) -> (u64, u64) {
    server.terminate();
    server.ended().await;
    (last_figure(&server, "pulls_from_memory="), last_figure(&server, "pulls_from_log="))
}

/// A figure of the line with which a node stops.
fn last_figure(server: &TestServer, name: &str) -> u64 {
    let log = server.log();
    let figure = log.rsplit_once(name).and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    figure.unwrap_or_else(|| panic!("the node did not tell {name}: {log}"))
}
