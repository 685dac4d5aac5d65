//! Crowds that press against the door: connections that dawdle, too many of them, handshakes that stall. A guest from
//! another address must not notice, and the node must not grow.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::version::TLS13;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, sleep};

use crate::guest::{Guest, Seen};
use crate::histogram::Histogram;
use crate::support::{TestServer, eventually, tls};
use crate::{elsewhere, must_hold, node};

const FLAGS: [&str; 4] = ["--tls", "self-signed", "--identity-publishes-per-sec", "1000000"];
/// The guest's address is 127.0.0.1, and all of the crowd has this one.
const FROM: ([u8; 4], u16) = ([127, 0, 0, 2], 0);
/// How many dawdle, and how many stall.
const DAWDLERS: usize = 200;
const DAWDLE_EVERY: Duration = Duration::from_secs(2);
/// How many connections are asked for at the least; by how many at a time, and how often by each of them.
const CONNECTS: usize = 10_000;
const CONNECTS_AT_ONCE: usize = 64;
const CONNECT_EVERY: Duration = Duration::from_millis(32);
/// Quiet and crowded times take turns, so that whatever else the machine does falls on both.
const ROUNDS: usize = 4;
const LASTING: Duration = Duration::from_secs(5);
/// Between the two, unmeasured.
const SETTLING: Duration = Duration::from_secs(1);
/// How much slower the guest may be than without anybody at the door.
const SLOWER_MAX: f64 = 2.0;
const GROWTH_MAX: u64 = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Crowd {
    /// TLS, half of a head, and then a byte now and then.
    HalfHeads,
    /// Two thousand connections a second, each kept for as long as it is left open.
    Connects,
    /// The start of a handshake, and then nothing.
    HalfHandshakes,
}

/// Somewhere to press against, and how often that was done.
#[derive(Clone)]
struct Door {
    address: SocketAddr,
    trusted: PathBuf,
    pressed: Arc<AtomicUsize>,
}

/// See the module.
pub async fn run() -> bool {
    println!("door: a guest asks and publishes 100 times a second, over TLS");
    let server = TestServer::with(&FLAGS);
    let mut guest = Guest::come(&server).await;
    let mut held = true;
    for crowd in [Crowd::HalfHeads, Crowd::HalfHandshakes, Crowd::Connects] {
        held &= press(&server, &mut guest, crowd).await;
    }
    held
}

async fn press(server: &TestServer, guest: &mut Guest, crowd: Crowd) -> bool {
    let (quiet, pressed, mut times, mut grown) = (Seen::default(), Seen::default(), 0, 0);
    for _ in 0..ROUNDS {
        guest.stays(SETTLING, &Seen::default()).await;
        guest.stays(LASTING, &quiet).await;
        let (before, elsewhere) = (server.rss_bytes(), elsewhere::stepping_back());
        let trusted = server.data().join("tls/localhost.crt");
        let door = Door { address: server.address(), trusted, pressed: Arc::default() };
        let (everybody, enough) = match crowd {
            Crowd::HalfHeads | Crowd::HalfHandshakes => (DAWDLERS, DAWDLERS),
            Crowd::Connects => (CONNECTS_AT_ONCE, 1),
        };
        for _ in 0..everybody {
            elsewhere.spawn(door.clone().pressed_by(crowd));
        }
        eventually("they are at the door", async || (door.pressed() >= enough).then_some(())).await;
        guest.stays(LASTING, &pressed).await;
        times += door.pressed();
        grown = grown.max(server.rss_bytes().saturating_sub(before));
        elsewhere.shutdown_background();
    }

    println!(" {crowd:?}, {times} in {ROUNDS} rounds: {}", node::cost(server));
    for (when, seen) in [("nobody there", &quiet), ("crowded", &pressed)] {
        println!("  {when}: answers {}; pushes {}", seen.answers, seen.pushes);
    }
    let held = [
        as_fast("answers", &pressed.answers, &quiet.answers),
        as_fast("pushes", &pressed.pushes, &quiet.pushes),
        must_hold(&format!("the node grew by {} MiB", grown >> 20), grown < GROWTH_MAX),
        crowd != Crowd::Connects || must_hold("there were 10,000 and more", times >= CONNECTS),
    ];
    held == [true; 4]
}

/// Prints how much slower the guest was served than before; true if it was not by much.
pub fn as_fast(what: &str, seen: &Histogram, quiet: &Histogram) -> bool {
    let times = |share| seen.quantile(share).as_secs_f64() / quiet.quantile(share).as_secs_f64();
    let (middle, most) = (times(0.5), times(0.99));
    let line = format!("{what} take {middle:.2} times (p50) and {most:.2} times (p99) what they took before");
    must_hold(&line, middle <= SLOWER_MAX && most <= SLOWER_MAX)
}

impl Door {
    /// One of a crowd, who comes back whenever the door is shut.
    async fn pressed_by(self, crowd: Crowd) {
        let (mut kept, mut times) = (Vec::new(), interval(CONNECT_EVERY));
        loop {
            times.tick().await;
            match crowd {
                Crowd::HalfHeads => self.dawdle().await.unwrap_or_default(),
                Crowd::HalfHandshakes => self.stall().await.unwrap_or_default(),
                Crowd::Connects => kept.extend(self.knock().await),
            }
        }
    }

    fn pressed(&self) -> usize {
        self.pressed.load(Ordering::Relaxed)
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(FROM.into())?;
        socket.connect(self.address).await
    }

    /// Until the node has had enough of it.
    async fn dawdle(&self) -> std::io::Result<()> {
        let mut stream = tls::handshake(self.connect().await?, &self.trusted, &TLS13, "http/1.1").await?;
        stream.write_all(b"GET /api/me HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await?;
        self.pressed.fetch_add(1, Ordering::Relaxed);
        let mut times = interval(DAWDLE_EVERY);
        loop {
            times.tick().await;
            stream.write_all(b"x").await?;
            stream.flush().await?;
        }
    }

    /// The first bytes of a long ClientHello; returns once the node hangs up.
    async fn stall(&self) -> std::io::Result<()> {
        let mut stream = self.connect().await?;
        stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await?;
        self.pressed.fetch_add(1, Ordering::Relaxed);
        stream.read(&mut [0]).await.map(drop)
    }

    /// A connection, unless it is closed right away.
    async fn knock(&self) -> Option<TcpStream> {
        let stream = self.connect().await.ok()?;
        self.pressed.fetch_add(1, Ordering::Relaxed);
        tokio::select! {
            _ = stream.readable() => None,
            () = sleep(CONNECT_EVERY / 2) => Some(stream),
        }
    }
}
