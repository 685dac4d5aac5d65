//! `FaultyLink`: a TCP proxy that fails like Wi-Fi, proxies and cables do.
//!
//! On command, or at random from a seed, it cuts, stalls and slows the connections through it, refuses new ones, and
//! forbids WebSocket while plain HTTP passes. It opens a new connection to the server for each of its own, so it
//! survives restarts of the server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Rng;

/// Small, so that a stalled link fills the buffers of the sender and not its own.
const BUFFER_BYTES: u32 = 32 * 1_024;
/// The link reads no more of a request's head than this.
const HEAD_BYTES_MAX: usize = 16 * 1_024;
/// The interval at which a slow link forwards bytes.
const SLOW_STEP: Duration = Duration::from_millis(50);
const FORBIDDEN: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The way in which a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Gracefully: the other side reads the end of the stream.
    Fin,
    /// Abruptly: the other side gets an error.
    Reset,
}

/// The directions in which nothing gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// From the server to the client.
    ToClient,
    /// From the client to the server.
    ToServer,
    /// Both directions.
    Both,
}

/// The current faults of a link.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    refuses: bool,
    forbids_sockets: bool,
    stall: Option<Stall>,
    bytes_per_sec: Option<u64>,
    /// The number of times that all connections were cut.
    cuts: u64,
    last_cut: Option<Cut>,
}

/// A running link. Dropping it ends every connection through it.
pub struct FaultyLink {
    address: SocketAddr,
    faults: watch::Sender<Faults>,
    _tasks: JoinSet<()>,
}

impl FaultyLink {
    /// Starts a link to a server, without faults.
    pub async fn to(server: SocketAddr) -> FaultyLink {
        let socket = TcpSocket::new_v4().expect("a socket can be created");
        socket.set_recv_buffer_size(BUFFER_BYTES).expect("buffers may be small");
        socket.set_send_buffer_size(BUFFER_BYTES).expect("buffers may be small");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port is free");
        let listener = socket.listen(1_024).expect("it can listen");
        let address = listener.local_addr().expect("it is bound");
        let (faults, current) = watch::channel(Faults::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, current));
        FaultyLink { address, faults, _tasks: tasks }
    }

    /// Returns the `http://host:port` of the client's end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection. New ones get through.
    pub fn cut(&self, how: Cut) {
        self.faults.send_modify(|faults| {
            faults.cuts += 1;
            faults.last_cut = Some(how);
        });
    }

    /// Stops forwarding until the link is mended. Neither side is notified.
    pub fn stall(&self, stall: Stall) {
        self.faults.send_modify(|faults| faults.stall = Some(stall));
    }

    /// Limits the rate in each direction of each connection.
    pub fn slow(&self, bytes_per_sec: u64) {
        self.faults.send_modify(|faults| faults.bytes_per_sec = Some(bytes_per_sec));
    }

    /// Resets new connections.
    pub fn refuse(&self) {
        self.faults.send_modify(|faults| faults.refuses = true);
    }

    /// Answers every WebSocket handshake with 403 from now on, as some proxies do.
    pub fn forbid_sockets(&self) {
        self.faults.send_modify(|faults| faults.forbids_sockets = true);
    }

    /// Ends all faults, except that WebSocket stays forbidden.
    pub fn mend(&self) {
        self.faults.send_modify(|faults| {
            let Faults { forbids_sockets, cuts, last_cut, .. } = *faults;
            *faults = Faults { forbids_sockets, cuts, last_cut, ..Faults::default() };
        });
    }

    /// Injects one fault after the other, with pauses between them. It never returns; when it is dropped, the link
    /// keeps its current faults.
    pub async fn inject_faults(&self, mut rng: Rng) {
        loop {
            sleep(rng.millis(100..1_000)).await;
            match rng.range(0..6) {
                0 => self.cut(Cut::Fin),
                1 => self.cut(Cut::Reset),
                2 => self.stall(Stall::ToClient),
                3 => self.stall(Stall::Both),
                4 => self.slow(rng.range(500..20_000)),
                _ => self.refuse(),
            }
            sleep(rng.millis(50..700)).await;
            self.mend();
        }
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, faults: watch::Receiver<Faults>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Both sides have noticed an error of the connection.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("a connection can be accepted");
                connections.spawn(connect(client, server, faults.clone()));
            }
        }
    }
}

/// Serves one connection to its end.
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
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let requests = pump(&head, from_client, to_server, Stall::ToServer, faults.clone());
        let answers = pump(&[], from_server, to_client, Stall::ToClient, faults.clone());
        tokio::select! {
            // In this order, so that nothing more gets through a link that is mended right after the cut.
            biased;
            changed = faults.wait_for(|now| now.cuts > cuts) => changed.map_or(Some(Cut::Reset), |now| now.last_cut),
            done = async { tokio::try_join!(requests, answers) } => return done.map(drop),
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

/// Forwards the bytes that were already read and all that follow, as far as the current faults allow; then the end of
/// the stream.
async fn pump(
    already: &[u8],
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    direction: Stall,
    mut faults: watch::Receiver<Faults>,
) -> io::Result<()> {
    let flows = |now: &Faults| now.stall.is_none_or(|stall| stall != direction && stall != Stall::Both);
    let gone = |_| io::Error::other("the link is gone");
    faults.wait_for(flows).await.map_err(gone)?;
    to.write_all(already).await?;
    let mut buffer = vec![0; BUFFER_BYTES as usize];
    loop {
        let bytes_per_sec = faults.wait_for(flows).await.map_err(gone)?.bytes_per_sec;
        let slow = bytes_per_sec.map(|rate| (rate / (1_000 / SLOW_STEP.as_millis() as u64)).max(1) as usize);
        let limit = slow.unwrap_or(buffer.len()).min(buffer.len());
        let read = tokio::select! {
            // In this order, since bytes that are sent after the stall must not get through.
            biased;
            _ = faults.changed() => continue,
            read = from.read(&mut buffer[..limit]) => read?,
        };
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        if slow.is_some() {
            // A link that is mended in the meantime continues at once.
            timeout(SLOW_STEP, faults.wait_for(|now| now.bytes_per_sec.is_none())).await.ok();
        }
    }
}
