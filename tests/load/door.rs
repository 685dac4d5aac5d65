//! Attacks on new connections: slow heads, stalled handshakes and floods of connections. A guest from another address
//! must not notice, and the node must not grow.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::version::TLS13;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, sleep};

use crate::guest::{Guest, Latencies};
use crate::histogram::Histogram;
use crate::support::{TestServer, eventually, tls};
use crate::{background, must_hold, node};

const FLAGS: [&str; 4] = ["--tls", "self-signed", "--identity-publishes-per-sec", "1000000"];
/// The address of all attackers. The guest's address is 127.0.0.1.
const FROM: ([u8; 4], u16) = ([127, 0, 0, 2], 0);
/// The number of slow heads, and of stalled handshakes.
const SLOW_CONNECTIONS: usize = 200;
/// The interval between the bytes of a slow head.
const BYTE_EVERY: Duration = Duration::from_secs(2);
/// The least number of connections in a flood.
const CONNECTS_MIN: usize = 10_000;
/// The number of attackers in a flood.
const CONNECTS_AT_ONCE: usize = 64;
/// The interval between the connections of one attacker.
const CONNECT_EVERY: Duration = Duration::from_millis(32);
/// Quiet and crowded times alternate, so that other work of the machine affects both.
const ROUNDS: usize = 4;
const LASTING: Duration = Duration::from_secs(5);
/// The time between the two, which is not measured.
const SETTLING: Duration = Duration::from_secs(1);
/// The guest may be slower than in quiet times by this factor.
const SLOWER_MAX: f64 = 2.0;
const GROWTH_MAX: u64 = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq)]
enum ConnectionAttack {
    /// A TLS handshake, half of a head, and then single bytes.
    HalfHeads,
    /// Two thousand connections a second, each kept for as long as the node leaves it open.
    Connects,
    /// The beginning of a TLS handshake, and then nothing.
    HalfHandshakes,
}

/// An attacker of a node, with the number of attempts of all of its clones.
#[derive(Clone)]
struct Flooder {
    address: SocketAddr,
    trusted: PathBuf,
    attempts: Arc<AtomicUsize>,
}

/// Runs the scenario. Returns true if all conditions hold.
pub async fn run() -> bool {
    println!("door: a guest sends 100 requests and 100 publishes a second, over TLS");
    let server = TestServer::with(&FLAGS);
    let mut guest = Guest::connect(&server).await;
    let mut held = true;
    for attack in [ConnectionAttack::HalfHeads, ConnectionAttack::HalfHandshakes, ConnectionAttack::Connects]
    {
        held &= run_attack(&server, &mut guest, attack).await;
    }
    held
}

async fn run_attack(server: &TestServer, guest: &mut Guest, attack: ConnectionAttack) -> bool {
    let quiet = Latencies::default();
    let attacked = Latencies::default();
    let mut times = 0;
    let mut grown = 0;
    for _ in 0..ROUNDS {
        guest.work_for(SETTLING, &Latencies::default()).await;
        guest.work_for(LASTING, &quiet).await;
        let before = server.rss_bytes();
        let background = background::idle_runtime();
        let trusted = server.data().join("tls/localhost.crt");
        let flooder = Flooder { address: server.address(), trusted, attempts: Arc::default() };
        let (attackers, enough) = match attack {
            ConnectionAttack::HalfHeads | ConnectionAttack::HalfHandshakes => {
                (SLOW_CONNECTIONS, SLOW_CONNECTIONS)
            }
            ConnectionAttack::Connects => (CONNECTS_AT_ONCE, 1),
        };
        for _ in 0..attackers {
            background.spawn(flooder.clone().attack(attack));
        }
        eventually("the attack is under way", async || (flooder.attempts() >= enough).then_some(())).await;
        guest.work_for(LASTING, &attacked).await;
        times += flooder.attempts();
        grown = grown.max(server.rss_bytes().saturating_sub(before));
        background.shutdown_background();
    }

    println!(" {attack:?}, {times} in {ROUNDS} rounds: {}", node::cost(server));
    for (when, seen) in [("quiet", &quiet), ("under attack", &attacked)] {
        println!("  {when}: answers {}; pushes {}", seen.answers, seen.pushes);
    }
    let conditions = [
        is_as_fast("answers", &attacked.answers, &quiet.answers),
        is_as_fast("pushes", &attacked.pushes, &quiet.pushes),
        must_hold(&format!("the node grew by {} MiB", grown >> 20), grown < GROWTH_MAX),
        attack != ConnectionAttack::Connects
            || must_hold("there were 10,000 connections or more", times >= CONNECTS_MIN),
    ];
    conditions == [true; 4]
}

/// Prints the ratio of the guest's latencies under attack to those before. Returns true if it is within bounds.
pub fn is_as_fast(what: &str, attacked: &Histogram, quiet: &Histogram) -> bool {
    let times = |share| attacked.quantile(share).as_secs_f64() / quiet.quantile(share).as_secs_f64();
    let middle = times(0.5);
    let most = times(0.99);
    let line = format!("{what} take {middle:.2} times (p50) and {most:.2} times (p99) what they took before");
    must_hold(&line, middle <= SLOWER_MAX && most <= SLOWER_MAX)
}

impl Flooder {
    /// Attacks for ever, and reconnects whenever the node closes the connection.
    async fn attack(self, attack: ConnectionAttack) {
        let mut connections = Vec::new();
        let mut times = interval(CONNECT_EVERY);
        loop {
            times.tick().await;
            match attack {
                ConnectionAttack::HalfHeads => self.send_slowly().await.unwrap_or_default(),
                ConnectionAttack::HalfHandshakes => self.stall().await.unwrap_or_default(),
                ConnectionAttack::Connects => connections.extend(self.connect_and_hold().await),
            }
        }
    }

    fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Relaxed)
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(FROM.into())?;
        socket.connect(self.address).await
    }

    /// Sends a head byte by byte until the node closes the connection.
    async fn send_slowly(&self) -> std::io::Result<()> {
        let mut stream = tls::handshake(self.connect().await?, &self.trusted, &TLS13, "http/1.1").await?;
        stream.write_all(b"GET /api/me HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await?;
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let mut times = interval(BYTE_EVERY);
        loop {
            times.tick().await;
            stream.write_all(b"x").await?;
            stream.flush().await?;
        }
    }

    /// Sends the first bytes of a long ClientHello. Returns once the node closes the connection.
    async fn stall(&self) -> std::io::Result<()> {
        let mut stream = self.connect().await?;
        stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await?;
        self.attempts.fetch_add(1, Ordering::Relaxed);
        stream.read(&mut [0]).await.map(drop)
    }

    /// Opens a connection. Returns it unless the node closes it right away.
    async fn connect_and_hold(&self) -> Option<TcpStream> {
        let stream = self.connect().await.ok()?;
        self.attempts.fetch_add(1, Ordering::Relaxed);
        tokio::select! {
            _ = stream.readable() => None,
            () = sleep(CONNECT_EVERY / 2) => Some(stream),
        }
    }
}
