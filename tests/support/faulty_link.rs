//! `FaultyLink`: what lies between a client and its node and may fail: Wi-Fi, proxies, cables.
//!
//! A TCP proxy on loopback. It cuts, stalls and slows the connections through it, refuses new ones, and forbids
//! WebSocket while plain HTTP passes; on command, or by a plan from a seed. It asks for the server anew for each
//! connection, so it outlives the server's restarts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Dice;

/// Small, so that a stalled link fills the buffers of who writes and not its own.
const BUFFER_BYTES: u32 = 32 * 1_024;
/// The head of a request is no longer, or the link lets it pass unread.
const HEAD_BYTES_MAX: usize = 16 * 1_024;
/// How often a slow link passes something on.
const SLOW_STEP: Duration = Duration::from_millis(50);
const FORBIDDEN: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// In order: the other side reads an end.
    Fin,
    /// Without a word: the other side gets an error.
    Reset,
}

/// HeadsOf way nothing comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// What the server says.
    ToClient,
    /// What the client says.
    ToServer,
    /// Neither.
    Both,
}

/// What is wrong with a link at the moment.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    refuses: bool,
    forbids_sockets: bool,
    stall: Option<Stall>,
    bytes_per_sec: Option<u64>,
    /// How many times everything was cut, and how the last time.
    cuts: (u64, Option<Cut>),
}

/// See the module. Dropping it ends every connection through it.
pub struct FaultyLink {
    address: SocketAddr,
    faults: watch::Sender<Faults>,
    _tasks: JoinSet<()>,
}

impl FaultyLink {
    /// A link to that address with nothing wrong yet.
    pub async fn to(server: SocketAddr) -> FaultyLink {
        let socket = TcpSocket::new_v4().expect("the system has sockets");
        socket.set_recv_buffer_size(BUFFER_BYTES).expect("it may be small");
        socket.set_send_buffer_size(BUFFER_BYTES).expect("it may be small");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port is free");
        let listener = socket.listen(1_024).expect("it can listen");
        let address = listener.local_addr().expect("it is bound");
        let (faults, seen) = watch::channel(Faults::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, seen));
        FaultyLink { address, faults, _tasks: tasks }
    }

    /// `http://host:port` of the client's end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection; new ones are let through.
    pub fn cut(&self, how: Cut) {
        self.faults.send_modify(|faults| faults.cuts = (faults.cuts.0 + 1, Some(how)));
    }

    /// Takes nothing that way until it is mended. Nobody is told.
    pub fn stall(&self, which: Stall) {
        self.faults.send_modify(|faults| faults.stall = Some(which));
    }

    /// Lets so many bytes through in each direction of each connection.
    pub fn slow(&self, bytes_per_sec: u64) {
        self.faults.send_modify(|faults| faults.bytes_per_sec = Some(bytes_per_sec));
    }

    /// Resets whoever connects.
    pub fn refuse(&self) {
        self.faults.send_modify(|faults| faults.refuses = true);
    }

    /// Answers a WebSocket handshake with 403, as some proxies do, for as long as the link is there.
    pub fn forbid_sockets(&self) {
        self.faults.send_modify(|faults| faults.forbids_sockets = true);
    }

    /// Everything comes through again, but for what is forbidden.
    pub fn mend(&self) {
        self.faults.send_modify(|faults| {
            let Faults { forbids_sockets, cuts, .. } = *faults;
            *faults = Faults { forbids_sockets, cuts, ..Faults::default() };
        });
    }

    /// One fault after the other, with health in between; for ever, so put it beside something that ends. Dropped,
    /// it leaves the link as it is at that moment.
    pub async fn misbehave(&self, mut dice: Dice) {
        loop {
            sleep(dice.millis(100..1_000)).await;
            match dice.within(0..6) {
                0 => self.cut(Cut::Fin),
                1 => self.cut(Cut::Reset),
                2 => self.stall(Stall::ToClient),
                3 => self.stall(Stall::Both),
                4 => self.slow(dice.within(500..20_000)),
                _ => self.refuse(),
            }
            sleep(dice.millis(50..700)).await;
            self.mend();
        }
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, faults: watch::Receiver<Faults>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A connection that ends in an error has ended: both sides have noticed, and that is all there is to say.
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("the system has room for a connection");
                connections.spawn(connect(client, server, faults.clone()));
            }
        }
    }
}

/// One connection, from its first byte to its end.
async fn connect(
    mut client: TcpStream,
    server: SocketAddr,
    mut faults: watch::Receiver<Faults>,
) -> io::Result<()> {
    let Faults { refuses, forbids_sockets, cuts, .. } = *faults.borrow_and_update();
    if refuses {
        return client.set_zero_linger();
    }
    let head = read_head(&mut client).await?;
    if forbids_sockets && asks_for_socket(&head) {
        return client.write_all(FORBIDDEN).await;
    }
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    let mut server = socket.connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let cut = {
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let there = pump(&head, from_client, to_server, Stall::ToServer, faults.clone());
        let back = pump(&[], from_server, to_client, Stall::ToClient, faults.clone());
        tokio::select! {
            // First, so that nothing more comes through a link that is mended right after the cut.
            biased;
            changed = faults.wait_for(|now| now.cuts.0 > cuts.0) => changed.map_or(Some(Cut::Reset), |now| now.cuts.1),
            passed = async { tokio::try_join!(there, back) } => return passed.map(drop),
        }
    };
    if cut == Some(Cut::Reset) {
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    Ok(())
}

async fn read_head(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while head.len() < HEAD_BYTES_MAX && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    Ok(head)
}

fn asks_for_socket(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).to_ascii_lowercase().contains("upgrade: websocket")
}

/// Passes on what was read already and all that follows, as the faults of the moment let it; then the end.
async fn pump(
    already: &[u8],
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Stall,
    mut faults: watch::Receiver<Faults>,
) -> io::Result<()> {
    let flows = |now: &Faults| now.stall.is_none_or(|stall| stall != way && stall != Stall::Both);
    let gone = |_| io::Error::other("the link is gone");
    faults.wait_for(flows).await.map_err(gone)?;
    to.write_all(already).await?;
    let mut buffer = vec![0; BUFFER_BYTES as usize];
    loop {
        let bytes_per_sec = faults.wait_for(flows).await.map_err(gone)?.bytes_per_sec;
        let slow = bytes_per_sec.map(|rate| (rate / (1_000 / SLOW_STEP.as_millis() as u64)).max(1) as usize);
        let room = slow.unwrap_or(buffer.len()).min(buffer.len());
        let read = tokio::select! {
            // First: what is said once it stalls must not come through.
            biased;
            _ = faults.changed() => continue,
            read = from.read(&mut buffer[..room]) => read?,
        };
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        if slow.is_some() {
            // Mended in between, it goes on at once.
            timeout(SLOW_STEP, faults.wait_for(|now| now.bytes_per_sec.is_none())).await.ok();
        }
    }
}
