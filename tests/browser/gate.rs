//! `Gate`: a proxy between a browser and the server, which refuses the requests that a test names.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::support::TestServer;

/// The longest head of a request that is read.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A running proxy; it ends with the test.
pub struct Gate {
    address: SocketAddr,
    rule: Arc<Mutex<Rule>>,
}

#[derive(Default)]
struct Rule {
    /// The text that refused requests have in their head, in lower case, and the status that answers them.
    refused: Option<(String, u16)>,
    /// The first lines of all requests that passed.
    passed: Vec<String>,
    /// The open connections.
    open: Vec<AbortHandle>,
    /// The number of long polls that wait at the server.
    waiting: usize,
}

/// A long poll that waits at the server, until it is answered or cut.
struct WaitingRequest(Arc<Mutex<Rule>>);

impl WaitingRequest {
    fn begins(rule: &Arc<Mutex<Rule>>) -> WaitingRequest {
        rule.lock().unwrap().waiting += 1;
        WaitingRequest(rule.clone())
    }
}

impl Drop for WaitingRequest {
    fn drop(&mut self) {
        self.0.lock().unwrap().waiting -= 1;
    }
}

impl Gate {
    /// Starts a proxy in front of the server.
    pub async fn before(server: &TestServer) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, rule, to) =
            (listener.local_addr().unwrap(), Arc::<Mutex<Rule>>::default(), server.address());
        let watching = rule.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let passing = tokio::spawn(pass(stream, to, watching.clone()));
                watching.lock().unwrap().open.push(passing.abort_handle());
            }
        });
        Gate { address, rule }
    }

    /// Starts a proxy that refuses every WebSocket.
    pub async fn without_sockets(server: &TestServer) -> Gate {
        let gate = Gate::before(server).await;
        gate.refuses("upgrade: websocket", 403);
        gate
    }

    /// The URL of the proxy: `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Refuses requests whose head contains `part` with that status from now on.
    pub fn refuses(&self, part: &str, status: u16) {
        self.rule.lock().unwrap().refused = Some((part.into(), status));
    }

    /// Lets all requests pass again.
    pub fn refuses_nothing(&self) {
        self.rule.lock().unwrap().refused = None;
    }

    /// Cuts all open connections, also sockets.
    pub fn cuts(&self) {
        self.rule.lock().unwrap().open.drain(..).for_each(|open| open.abort());
    }

    /// The number of long polls that wait at the server now.
    pub fn waiting(&self) -> usize {
        self.rule.lock().unwrap().waiting
    }

    /// The number of requests that passed with `part` in their first line.
    pub fn passed(&self, part: &str) -> usize {
        self.rule.lock().unwrap().passed.iter().filter(|line| line.contains(part)).count()
    }
}

/// Passes on one request and its answer. A connection has one request, so that each of them is seen.
async fn pass(mut stream: TcpStream, to: SocketAddr, rule: Arc<Mutex<Rule>>) -> Option<()> {
    let (head, rest) = read_head(&mut stream).await?;
    let lower = head.to_lowercase();
    let refused = rule.lock().unwrap().refused.clone().filter(|(part, _)| lower.contains(part));
    if let Some((_, status)) = refused {
        let answer = format!("HTTP/1.1 {status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return stream.write_all(answer.as_bytes()).await.ok();
    }
    rule.lock().unwrap().passed.push(head.lines().next().unwrap_or_default().to_owned());
    let _waiting = lower.contains("prefer: wait=").then(|| WaitingRequest::begins(&rule));
    let mut server = TcpStream::connect(to).await.ok()?;
    server.write_all(with_connection_close(&head, &lower).as_bytes()).await.ok()?;
    server.write_all(&rest).await.ok()?;
    copy_bidirectional(&mut stream, &mut server).await.ok().map(drop)
}

/// Reads the head, with its empty line. Returns it and the part of the body that came with it.
async fn read_head(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    while bytes.len() < HEAD_BYTES_MAX {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Some((String::from_utf8(bytes).ok()?, rest));
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    None
}

/// Asks the server to close the connection after this request, unless it becomes a socket.
fn with_connection_close(head: &str, lower: &str) -> String {
    if lower.contains("upgrade:") {
        return head.to_owned();
    }
    let kept =
        head.lines().filter(|line| !line.is_empty() && !line.to_lowercase().starts_with("connection:"));
    kept.chain(["connection: close", "", ""]).collect::<Vec<_>>().join("\r\n")
}
