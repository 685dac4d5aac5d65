//! `Guest`: a well-behaved client over TLS, which sends requests, publishes, receives the pushes, and measures the
//! latency.

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

/// A signed-in guest.
pub struct Guest {
    http: GuestHttp,
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

/// The connection for requests.
struct GuestHttp {
    sender: SendRequest<Full<Bytes>>,
    cookie: String,
    published: usize,
}

/// The latencies that a guest measured.
#[derive(Default)]
pub struct Latencies {
    /// The time from a request to its answer.
    pub answers: Histogram,
    /// The time from a publish to its push.
    pub pushes: Histogram,
}

impl Guest {
    /// Opens two connections, one for requests and one for pushes.
    pub async fn connect(server: &TestServer) -> Guest {
        let (sender, connection) = handshake(TokioIo::new(connect(server).await)).await.unwrap();
        tokio::spawn(connection);
        let mut http = GuestHttp { sender, cookie: String::new(), published: 0 };
        let me = http.ask(Method::POST, endpoint::ME, r#"{"name":"Guest"}"#.into()).await;
        let cookie = me.headers()["set-cookie"].to_str().unwrap();
        http.cookie = cookie.split(';').next().unwrap().to_owned();

        let mut request = "wss://localhost/socket".into_client_request().unwrap();
        request.headers_mut().insert("cookie", http.cookie.parse().unwrap());
        let (socket, _) = client_async(request, connect(server).await).await.unwrap();
        let mut guest = Guest { http, socket };
        let subscribe = ClientFrame::Subscribe { topic: probe(TOPIC), listed: Listed::No };
        guest.socket.send(Message::text(serde_json::to_string(&subscribe).unwrap())).await.unwrap();
        wait_for_frame(&mut guest.socket, |frame| matches!(frame, ServerFrame::Head { .. })).await;
        guest
    }

    /// Returns the value of the `Cookie` header.
    pub fn cookie(&self) -> &str {
        &self.http.cookie
    }

    /// Publishes this many events of this many bytes to a topic to which the guest is not subscribed.
    pub async fn publish_many(&mut self, topic: &str, events: usize, bytes: usize) {
        let body = format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes));
        for _ in 0..events {
            self.http.publish(topic, body.clone()).await;
        }
    }

    /// Sends this many GET requests for a path.
    pub async fn get_many(&mut self, path: &str, times: usize) {
        for _ in 0..times {
            assert_eq!(self.http.ask(Method::GET, path, String::new()).await.status(), 200);
        }
    }

    /// Sends requests and publishes for a time, and measures them.
    pub async fn work_for(&mut self, duration: Duration, latencies: &Latencies) {
        let until = Instant::now() + duration;
        let mut times = interval(EVERY);
        while Instant::now() < until {
            times.tick().await;
            let requested = Instant::now();
            self.http.ask(Method::GET, endpoint::ME, String::new()).await;
            latencies.answers.add(requested.elapsed().as_micros() as u64);

            let published = Instant::now();
            let push = async {
                wait_for_frame(&mut self.socket, |frame| matches!(frame, ServerFrame::Event(_))).await;
                latencies.pushes.add(published.elapsed().as_micros() as u64);
            };
            tokio::join!(self.http.publish(TOPIC, r#"{"text":"hello"}"#.into()), push);
        }
    }
}

impl GuestHttp {
    async fn publish(&mut self, topic: &str, body: String) {
        self.published += 1;
        let answer = self.ask(Method::POST, &format!("/api/probe/{topic}/events"), body).await;
        assert_eq!(answer.status(), 201);
    }

    async fn ask(&mut self, method: Method, path: &str, body: String) -> Response<()> {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("cookie", &self.cookie).header("content-type", "application/json");
        let request = request.header(endpoint::IDEMPOTENCY_KEY, format!("k{}", self.published));
        self.sender.ready().await.unwrap();
        let sent = self.sender.send_request(request.body(Full::from(body)).unwrap());
        let (head, body): (_, Incoming) = in_time("an answer", sent).await.unwrap().into_parts();
        // The answer counts only once it is read to its end.
        body.collect().await.unwrap();
        Response::from_parts(head, ())
    }
}

async fn wait_for_frame(socket: &mut WebSocketStream<TlsStream<TcpStream>>, fits: fn(&ServerFrame) -> bool) {
    loop {
        let message = in_time("a frame", socket.next()).await.unwrap().unwrap();
        assert!(!message.is_close(), "the node closed the guest's socket: {message:?}");
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
