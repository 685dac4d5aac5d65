//! One hostile address, which keeps all limits, attacks a node with 150 MB of memory: the node survives, serves a guest
//! from another address as fast as before, and frees its memory.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::pending;
use futures_util::{SinkExt, StreamExt};
use rustls::version::TLS13;
use shared::{ClientFrame, Listed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, interval, sleep};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::door::is_as_fast;
use crate::guest::{Guest, Latencies};
use crate::support::http2::{
    END_HEADERS, END_STREAM, GET, HEADERS, POST, PREFACE, SETTINGS, frame, stream, window,
};
use crate::support::{TestServer, probe, tls};
use crate::{background, must_hold, node};

const FLAGS: [&str; 6] =
    ["--tls", "self-signed", "--identity-publishes-per-sec", "1000000", "--memory-max", "150M"];
const MEMORY_MAX: u64 = 150 << 20;
/// The address of the attacker. The guest's address is 127.0.0.1.
const FROM: ([u8; 4], u16) = ([127, 0, 0, 2], 0);
/// An HTTP/2 frame type.
const DATA: u8 = 0;
/// Almost as many connections as an address may have.
const CONNECTIONS: usize = 990;
const SOCKETS: usize = 490;
const TOPICS_EACH: usize = 100;
const STREAMS: u32 = 100;
/// The topic whose pages the attacker requests, each as large as a page may be.
const PAGES_OF: &str = "pages";
const EVENTS: usize = 500;
const EVENT_BYTES: usize = 4_000;
/// A little less than the longest allowed head.
const HEAD_BYTES: usize = 31 * 1_024;
/// The delay before an attacker that was refused tries again.
const RETRY_DELAY: Duration = Duration::from_secs(2);
const WARMING_UP: usize = 20;
const SETTLING: Duration = Duration::from_secs(1);
/// The time in which the attackers connect, as far as the node lets them in.
const GATHERING: Duration = Duration::from_secs(10);
const LASTING: Duration = Duration::from_secs(10);
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// Memory counts as freed when the node has at most this many times its initial memory.
const BACK_AT: f64 = 1.2;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Attack {
    /// Heads that never end, on all connections.
    HalfHeads,
    /// HTTP/2 with a hundred request bodies on each connection that never end.
    EndlessBodies,
    /// HTTP/2 with a hundred pages on each connection, and a window of 0 bytes.
    StuckPages,
    /// HTTP/1.1 with one page on each connection that the client does not read.
    UnreadPages,
    /// Sockets with as many topics as allowed, all of them different.
    ManyTopics,
}

/// A client at the hostile address.
#[derive(Clone)]
struct Attacker {
    address: SocketAddr,
    trusted: PathBuf,
    cookie: String,
    connected: Arc<AtomicUsize>,
}

/// Runs all attacks, one after the other. Returns true if all conditions hold.
pub async fn run() -> bool {
    println!(
        "hostile: a guest sends 100 requests and 100 publishes a second, over TLS, to a node with 150 MB"
    );
    let server = TestServer::with(&FLAGS);
    let mut guest = Guest::connect(&server).await;
    guest.publish_many(PAGES_OF, EVENTS, EVENT_BYTES).await;
    // Memory that a new node allocates for its first requests does not count as left behind by an attack.
    guest.get_many(&path_of_page(), WARMING_UP).await;
    let mut held = true;
    for attack in [
        Attack::HalfHeads,
        Attack::EndlessBodies,
        Attack::StuckPages,
        Attack::UnreadPages,
        Attack::ManyTopics,
    ] {
        held &= run_attack(&server, &mut guest, attack).await;
    }
    held
}

fn path_of_page() -> String {
    format!("/api/topics/probe:{PAGES_OF}/events?limit=500")
}

async fn run_attack(server: &TestServer, guest: &mut Guest, attack: Attack) -> bool {
    let quiet = Latencies::default();
    let attacked = Latencies::default();
    guest.work_for(SETTLING, &Latencies::default()).await;
    guest.work_for(LASTING, &quiet).await;
    let before = server.rss_bytes();
    let background = background::idle_runtime();
    let attacker = Attacker {
        address: server.address(),
        trusted: server.data().join("tls/localhost.crt"),
        cookie: guest.cookie().to_owned(),
        connected: Arc::default(),
    };
    let times = if attack == Attack::ManyTopics { SOCKETS } else { CONNECTIONS };
    (0..times).for_each(|number| _ = background.spawn(attacker.clone().attack_forever(attack, number)));
    let memory = watch_memory(server.pid());
    guest.work_for(GATHERING, &Latencies::default()).await;
    guest.work_for(LASTING, &attacked).await;
    let connected = attacker.connected.load(Ordering::Relaxed);
    background.shutdown_background();
    let most = memory.stop();

    println!(" {attack:?}, {connected} of {times} connected at the end: {}", node::cost(server));
    for (when, seen) in [("quiet", &quiet), ("under attack", &attacked)] {
        println!("  {when}: answers {}; pushes {}", seen.answers, seen.pushes);
    }
    let back = until_back(server, guest, before).await;
    let describe =
        |back: Duration| format!("it was back at {} MiB after {:.0} s", before >> 20, back.as_secs_f64());
    let conditions = [
        is_as_fast("answers", &attacked.answers, &quiet.answers),
        is_as_fast("pushes", &attacked.pushes, &quiet.pushes),
        must_hold(&format!("it had at most {} MiB", most >> 20), most < MEMORY_MAX),
        must_hold(&back.map_or_else(|| "its memory is freed".into(), describe), back.is_some()),
    ];
    conditions == [true; 4]
}

/// Returns the time until the node has freed its memory, while the guest continues; `None` if it does not.
async fn until_back(server: &TestServer, guest: &mut Guest, before: u64) -> Option<Duration> {
    let left = Instant::now();
    while left.elapsed() < BACK_WITHIN {
        if (server.rss_bytes() as f64) < before as f64 * BACK_AT {
            return Some(left.elapsed());
        }
        guest.work_for(SETTLING, &Latencies::default()).await;
    }
    println!("  {} MiB before, {} MiB a minute later", before >> 20, server.rss_bytes() >> 20);
    None
}

impl Attacker {
    /// Attacks, and reconnects whenever the node closes the connection.
    async fn attack_forever(self, attack: Attack, number: usize) {
        loop {
            match attack {
                Attack::HalfHeads => self.half_head().await.unwrap_or_default(),
                Attack::EndlessBodies => self.endless_bodies().await.unwrap_or_default(),
                Attack::StuckPages => self.stuck_pages().await.unwrap_or_default(),
                Attack::UnreadPages => self.unread_page().await.unwrap_or_default(),
                Attack::ManyTopics => self.many_topics(number).await.unwrap_or_default(),
            }
            sleep(RETRY_DELAY).await;
        }
    }

    async fn connect(&self, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        // Bytes in the kernel's receive buffer would not burden the node.
        socket.set_recv_buffer_size(4_096)?;
        socket.bind(FROM.into())?;
        tls::handshake(socket.connect(self.address).await?, &self.trusted, &TLS13, protocol).await
    }

    /// Counts this attacker as connected until the connection is over.
    async fn stay_until(&self, until_over: impl Future) {
        self.connected.fetch_add(1, Ordering::Relaxed);
        until_over.await;
        self.connected.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sends bytes, and stays until the node closes the connection.
    async fn send_and_stay(&self, protocol: &str, bytes: &[u8]) -> std::io::Result<()> {
        let mut connection = self.connect(protocol).await?;
        connection.write_all(bytes).await?;
        connection.flush().await?;
        self.stay_until(read_to_end(connection)).await;
        Ok(())
    }

    async fn half_head(&self) -> std::io::Result<()> {
        let head = format!("GET /api/me HTTP/1.1\r\nHost: localhost\r\nX-Slow: {}", "x".repeat(HEAD_BYTES));
        self.send_and_stay("http/1.1", head.as_bytes()).await
    }

    async fn endless_bodies(&self) -> std::io::Result<()> {
        let head = [POST.to_vec(), header(":path", "/api/probe/load/events"), self.cookie_header()].concat();
        let head = [head, header("content-type", "application/json")].concat();
        let mut frames = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
        (0..STREAMS).for_each(|n| frames.extend(frame(HEADERS, END_HEADERS, stream(n), &head)));
        // As much as a client may send before the node answers.
        (0..STREAMS).for_each(|n| frames.extend(frame(DATA, 0, stream(n), &[b' '; 600])));
        self.send_and_stay("h2", &frames).await
    }

    async fn stuck_pages(&self) -> std::io::Result<()> {
        let path = header(":path", &path_of_page());
        let head = [GET.to_vec(), path, self.cookie_header(), header("accept-encoding", "gzip")].concat();
        let mut frames = [PREFACE.to_vec(), window(0)].concat();
        (0..STREAMS).for_each(|n| frames.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream(n), &head)));
        self.send_and_stay("h2", &frames).await
    }

    async fn unread_page(&self) -> std::io::Result<()> {
        let mut connection = self.connect("http/1.1").await?;
        let path = path_of_page();
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n\r\n", self.cookie);
        let mut answer = [0; 4_096];
        // On the same connection, until the node sends a page.
        loop {
            connection.write_all(head.as_bytes()).await?;
            connection.flush().await?;
            let read = connection.read(&mut answer).await?;
            match answer[..read].get(9..12) {
                // The rest of the page is not read.
                Some(b"200") => break self.stay_until(sleep(LASTING * 2)).await,
                Some(_) => sleep(RETRY_DELAY).await,
                None => break,
            }
        }
        Ok(())
    }

    async fn many_topics(&self, number: usize) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut request = "wss://localhost/socket".into_client_request()?;
        request.headers_mut().insert("cookie", self.cookie.parse()?);
        let (mut socket, _) = client_async(request, self.connect("http/1.1").await?).await?;
        for topic in 0..TOPICS_EACH {
            let topic = probe(&format!("t{number}-{topic}"));
            let subscribe = serde_json::to_string(&ClientFrame::Subscribe { topic, listed: Listed::Yes })?;
            socket.send(Message::text(subscribe)).await?;
        }
        let until_over = async {
            while let Some(Ok(message)) = socket.next().await {
                let is_ping = message.to_text().is_ok_and(|text| text.starts_with(r#"{"ping""#));
                let pong = message.to_text().unwrap_or_default().replace("ping", "pong");
                if message.is_close() || is_ping && socket.send(Message::text(pong)).await.is_err() {
                    return;
                }
            }
        };
        self.stay_until(until_over).await;
        Ok(())
    }

    fn cookie_header(&self) -> Vec<u8> {
        header("cookie", &self.cookie)
    }
}

/// Encodes a header with HPACK, uncompressed (RFC 7541 §6.2.2). Name and value must be shorter than 127 bytes.
fn header(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// Reads until the connection is over, without answering pings.
async fn read_to_end(mut connection: TlsStream<TcpStream>) {
    let mut bytes = [0; 4_096];
    while matches!(connection.read(&mut bytes).await, Ok(1..)) {}
}

/// Measures the memory of a process in the background.
struct MemoryWatch {
    most: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

fn watch_memory(pid: u32) -> MemoryWatch {
    let most = Arc::<AtomicUsize>::default();
    let measured = most.clone();
    let task = tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else {
                return pending().await;
            };
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
            let kib = line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or_default();
            measured.fetch_max(kib << 10, Ordering::Relaxed);
        }
    });
    MemoryWatch { most, task }
}

impl MemoryWatch {
    /// Stops, and returns the most memory that was measured.
    fn stop(self) -> u64 {
        self.task.abort();
        self.most.load(Ordering::Relaxed) as u64
    }
}
