//! `Guest`: somebody well-behaved, over TLS, who asks, publishes and listens, and notes how long it takes.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::version::TLS13;
use shared::{ClientFrame, Listed, ServerFrame, endpoint};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::histogram::Histogram;
use crate::publishing::TOPIC;
use crate::support::{TestServer, in_time, probe, read_frame, tls};

const EVERY: Duration = Duration::from_millis(10);

/// See the module.
pub struct Guest {
    asking: Asking,
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

/// The connection that requests go over.
struct Asking {
    http: SendRequest<Full<Bytes>>,
    cookie: String,
    published: usize,
}

/// How long things took.
#[derive(Default)]
pub struct Seen {
    /// From a request to its answer.
    pub answers: Histogram,
    /// From a publish to its push.
    pub pushes: Histogram,
}

impl Guest {
    /// Comes over two connections, one to ask and one to listen.
    pub async fn come(server: &TestServer) -> Guest {
        let (http, connection) = handshake(TokioIo::new(connect(server).await)).await.unwrap();
        tokio::spawn(connection);
        let mut asking = Asking { http, cookie: String::new(), published: 0 };
        let me = asking.ask(Method::POST, endpoint::ME, r#"{"name":"Guest"}"#.into()).await;
        let cookie = me.headers()["set-cookie"].to_str().unwrap();
        asking.cookie = cookie.split(';').next().unwrap().to_owned();

        let mut request = "wss://localhost/socket".into_client_request().unwrap();
        request.headers_mut().insert("cookie", asking.cookie.parse().unwrap());
        let (socket, _) = client_async(request, connect(server).await).await.unwrap();
        let mut guest = Guest { asking, socket };
        let subscribe = ClientFrame::Subscribe { topic: probe(TOPIC), listed: Listed::No };
        guest.socket.send(Message::text(serde_json::to_string(&subscribe).unwrap())).await.unwrap();
        hears(&mut guest.socket, |frame| matches!(frame, ServerFrame::Head { .. })).await;
        guest
    }

    /// The sign-in, as a header has it.
    pub fn cookie(&self) -> &str {
        &self.asking.cookie
    }

    /// Publishes so many events of so many bytes to a topic that is not listened to.
    pub async fn fills(&mut self, topic: &str, events: usize, bytes: usize) {
        let body = format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes));
        for _ in 0..events {
            self.asking.publish(topic, body.clone()).await;
        }
    }

    /// Asks for something so many times.
    pub async fn reads(&mut self, path: &str, times: usize) {
        for _ in 0..times {
            assert_eq!(self.asking.ask(Method::GET, path, String::new()).await.status(), 200);
        }
    }

    /// Goes on for that long.
    pub async fn stays(&mut self, lasting: Duration, seen: &Seen) {
        let (until, mut times) = (Instant::now() + lasting, interval(EVERY));
        while Instant::now() < until {
            times.tick().await;
            let asked = Instant::now();
            self.asking.ask(Method::GET, endpoint::ME, String::new()).await;
            seen.answers.add(asked.elapsed().as_micros() as u64);

            let published = Instant::now();
            let push = async {
                hears(&mut self.socket, |frame| matches!(frame, ServerFrame::Event(_))).await;
                seen.pushes.add(published.elapsed().as_micros() as u64);
            };
            tokio::join!(self.asking.publish(TOPIC, r#"{"text":"hello"}"#.into()), push);
        }
    }
}

impl Asking {
    async fn publish(&mut self, topic: &str, body: String) {
        self.published += 1;
        let answer = self.ask(Method::POST, &format!("/api/probe/{topic}/events"), body).await;
        assert_eq!(answer.status(), 201);
    }

    async fn ask(&mut self, method: Method, path: &str, body: String) -> Response<()> {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("cookie", &self.cookie).header("content-type", "application/json");
        let request = request.header(endpoint::IDEMPOTENCY_KEY, format!("k{}", self.published));
        self.http.ready().await.unwrap();
        let sent = self.http.send_request(request.body(Full::from(body)).unwrap());
        let (head, body): (_, Incoming) = in_time("an answer", sent).await.unwrap().into_parts();
        // Only whoever has read the answer has it.
        body.collect().await.unwrap();
        Response::from_parts(head, ())
    }
}

async fn hears(socket: &mut WebSocketStream<TlsStream<TcpStream>>, fits: fn(&ServerFrame) -> bool) {
    loop {
        let message = in_time("a frame", socket.next()).await.unwrap().unwrap();
        assert!(!message.is_close(), "the guest was sent away: {message:?}");
        let Message::Text(text) = message else { continue };
        match read_frame(&text) {
            ServerFrame::Ping { at } => {
                let pong = serde_json::to_string(&ClientFrame::Pong { at }).unwrap();
                socket.send(Message::text(pong)).await.unwrap();
            }
            frame if fits(&frame) => return,
            _ => {}
        }
    }
}

async fn connect(server: &TestServer) -> TlsStream<TcpStream> {
    let trusted = server.data().join("tls/localhost.crt");
    tls::connect(server.address(), &trusted, &TLS13, "http/1.1").await.unwrap()
}
