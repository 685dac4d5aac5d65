//! One hostile address within all limits, at a node that has 150 MB: it lives, it serves a guest from another address
//! as before, and its memory comes back.

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

use crate::door::as_fast;
use crate::guest::{Guest, Seen};
use crate::support::http2::{
    END_HEADERS, END_STREAM, GET, HEADERS, POST, PREFACE, SETTINGS, frame, stream, window,
};
use crate::support::{TestServer, probe, tls};
use crate::{elsewhere, must_hold, node};

const FLAGS: [&str; 6] =
    ["--tls", "self-signed", "--identity-publishes-per-sec", "1000000", "--memory-max", "150M"];
const MEMORY_MAX: u64 = 150 << 20;
/// The guest's address is 127.0.0.1, and this is the other one.
const FROM: ([u8; 4], u16) = ([127, 0, 0, 2], 0);
/// A kind of HTTP/2 frame.
const DATA: u8 = 0;
/// As many as an address may have, nearly.
const CONNECTIONS: usize = 990;
const SOCKETS: usize = 490;
const TOPICS_EACH: usize = 100;
const STREAMS: u32 = 100;
/// The topic whose pages are asked for, each as large as pages are.
const PAGES_OF: &str = "pages";
const EVENTS: usize = 500;
const EVENT_BYTES: usize = 4_000;
/// Of a head, a little less than is too much.
const HEAD_BYTES: usize = 31 * 1_024;
/// Before whoever was turned away comes again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
const WARMING_UP: usize = 20;
const SETTLING: Duration = Duration::from_secs(1);
/// Until the crowd is there, or as much of it as is let in.
const GATHERING: Duration = Duration::from_secs(10);
const LASTING: Duration = Duration::from_secs(10);
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// Memory is back when no more than a fifth is left of what was there before.
const BACK_AT: f64 = 1.2;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// Heads that never end, on all connections.
    HalfHeads,
    /// HTTP/2 with a hundred bodies on each connection, as long as they may be, and without an end.
    EndlessBodies,
    /// HTTP/2 with a hundred pages on each connection, and a window of nothing.
    StuckPages,
    /// HTTP/1.1 with one page on each connection, which nobody reads.
    UnreadPages,
    /// Sockets with as many topics as they may have, of which no two are the same.
    ManyTopics,
}

/// Somebody who has that address.
#[derive(Clone)]
struct Stranger {
    address: SocketAddr,
    trusted: PathBuf,
    cookie: String,
    there: Arc<AtomicUsize>,
}

/// Presses in all ways, one after the other; true if all that is promised was kept.
pub async fn run() -> bool {
    println!("hostile: a guest asks and publishes 100 times a second, over TLS, at a node with 150 MB");
    let server = TestServer::with(&FLAGS);
    let mut guest = Guest::come(&server).await;
    guest.fills(PAGES_OF, EVENTS, EVENT_BYTES).await;
    // What a node that has just begun has not needed yet is not what a crowd leaves behind.
    guest.reads(&path_of_page(), WARMING_UP).await;
    let mut held = true;
    for shape in
        [Shape::HalfHeads, Shape::EndlessBodies, Shape::StuckPages, Shape::UnreadPages, Shape::ManyTopics]
    {
        held &= press(&server, &mut guest, shape).await;
    }
    held
}

fn path_of_page() -> String {
    format!("/api/topics/probe:{PAGES_OF}/events?limit=500")
}

async fn press(server: &TestServer, guest: &mut Guest, shape: Shape) -> bool {
    let (quiet, pressed) = (Seen::default(), Seen::default());
    guest.stays(SETTLING, &Seen::default()).await;
    guest.stays(LASTING, &quiet).await;
    let (before, elsewhere) = (server.rss_bytes(), elsewhere::stepping_back());
    let stranger = Stranger {
        address: server.address(),
        trusted: server.data().join("tls/localhost.crt"),
        cookie: guest.cookie().to_owned(),
        there: Arc::default(),
    };
    let times = if shape == Shape::ManyTopics { SOCKETS } else { CONNECTIONS };
    (0..times).for_each(|number| _ = elsewhere.spawn(stranger.clone().press(shape, number)));
    let watch = watch(server.pid());
    guest.stays(GATHERING, &Seen::default()).await;
    guest.stays(LASTING, &pressed).await;
    let there = stranger.there.load(Ordering::Relaxed);
    elsewhere.shutdown_background();
    let most = watch.end().await;

    println!(" {shape:?}, {there} of {times} let in at the end: {}", node::cost(server));
    for (when, seen) in [("alone", &quiet), ("beside them", &pressed)] {
        println!("  {when}: answers {}; pushes {}", seen.answers, seen.pushes);
    }
    let back = until_back(server, guest, before).await;
    let told =
        |back: Duration| format!("its {} MiB are back after {:.0} s", before >> 20, back.as_secs_f64());
    let held = [
        as_fast("answers", &pressed.answers, &quiet.answers),
        as_fast("pushes", &pressed.pushes, &quiet.pushes),
        must_hold(&format!("it had {} MiB at the most", most >> 20), most < MEMORY_MAX),
        must_hold(&back.map_or_else(|| "its memory is back".into(), told), back.is_some()),
    ];
    held == [true; 4]
}

/// The time that its memory takes to come back, while the guest goes on; nothing when it does not.
async fn until_back(server: &TestServer, guest: &mut Guest, before: u64) -> Option<Duration> {
    let left = Instant::now();
    while left.elapsed() < BACK_WITHIN {
        if (server.rss_bytes() as f64) < before as f64 * BACK_AT {
            return Some(left.elapsed());
        }
        guest.stays(SETTLING, &Seen::default()).await;
    }
    println!("  {} MiB before, {} MiB a minute after", before >> 20, server.rss_bytes() >> 20);
    None
}

impl Stranger {
    /// Comes, and comes again whenever the node has had enough.
    async fn press(self, shape: Shape, number: usize) {
        loop {
            match shape {
                Shape::HalfHeads => self.half_head().await.unwrap_or_default(),
                Shape::EndlessBodies => self.endless_bodies().await.unwrap_or_default(),
                Shape::StuckPages => self.stuck_pages().await.unwrap_or_default(),
                Shape::UnreadPages => self.unread_page().await.unwrap_or_default(),
                Shape::ManyTopics => self.many_topics(number).await.unwrap_or_default(),
            }
            sleep(AGAIN_AFTER).await;
        }
    }

    async fn connect(&self, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        // What the kernel takes in for us does not press the node.
        socket.set_recv_buffer_size(4_096)?;
        socket.bind(FROM.into())?;
        tls::handshake(socket.connect(self.address).await?, &self.trusted, &TLS13, protocol).await
    }

    /// Is counted until the connection is over, whatever comes meanwhile.
    async fn stays(&self, until_over: impl Future) {
        self.there.fetch_add(1, Ordering::Relaxed);
        until_over.await;
        self.there.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sends that much, and stays until the node has had enough.
    async fn send_and_stay(&self, protocol: &str, bytes: &[u8]) -> std::io::Result<()> {
        let mut connection = self.connect(protocol).await?;
        connection.write_all(bytes).await?;
        connection.flush().await?;
        self.stays(swallow(connection)).await;
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
        // As much as the node may be sent before it answers.
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
        // Until it is let in, on the one connection.
        loop {
            connection.write_all(head.as_bytes()).await?;
            connection.flush().await?;
            let read = connection.read(&mut answer).await?;
            match answer[..read].get(9..12) {
                // The rest of the page is left where it is.
                Some(b"200") => break self.stays(sleep(LASTING * 2)).await,
                Some(_) => sleep(AGAIN_AFTER).await,
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
        self.stays(until_over).await;
        Ok(())
    }

    fn cookie_header(&self) -> Vec<u8> {
        header("cookie", &self.cookie)
    }
}

/// A header as HPACK has it, without any compression (RFC 7541 §6.2.2). Name and value have less than 127 bytes.
fn header(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// Takes whatever comes, and answers no ping: returns once the connection is over.
async fn swallow(mut connection: TlsStream<TcpStream>) {
    let mut bytes = [0; 4_096];
    while matches!(connection.read(&mut bytes).await, Ok(1..)) {}
}

/// Looks at the memory of a process while others do something.
struct Watching {
    most: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

fn watch(pid: u32) -> Watching {
    let most = Arc::<AtomicUsize>::default();
    let seen = most.clone();
    let task = tokio::spawn(async move {
        let mut times = interval(Duration::from_millis(20));
        loop {
            times.tick().await;
            let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else {
                return pending().await;
            };
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
            let kib = line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or_default();
            seen.fetch_max(kib << 10, Ordering::Relaxed);
        }
    });
    Watching { most, task }
}

impl Watching {
    async fn end(self) -> u64 {
        self.task.abort();
        self.most.load(Ordering::Relaxed) as u64
    }
}
