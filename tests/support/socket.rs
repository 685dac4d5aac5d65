//! `Socket`: one WebSocket, frame by frame, which enforces no rules of the protocol.

use futures_util::{SinkExt, StreamExt};
use shared::{ClientFrame, Epoch, Event, Listed, Seq, ServerFrame, Topic, Welcome, endpoint};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::{Person, TestServer, in_time};

/// Small, so that a reader that stalls fills the server's buffers and not its own.
const RECEIVE_BUFFER_BYTES: u32 = 32 * 1_024;

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The answer to the handshake.
    pub handshake: Response,
}

impl TestServer {
    /// Opens a socket, and receives its `welcome`.
    pub async fn socket(&self, person: &Person) -> Socket {
        let mut socket = self.socket_before_welcome(person).await;
        socket.receive_welcome().await;
        socket
    }

    /// Opens a socket, and receives nothing from it yet.
    pub async fn socket_before_welcome(&self, person: &Person) -> Socket {
        Socket::open(person, &[]).await.unwrap_or_else(|error| panic!("the handshake failed: {error:?}"))
    }
}

impl Socket {
    /// Opens a socket with the person's cookie and additional headers.
    pub async fn open(person: &Person, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        let mut request = person.socket_url().into_client_request()?;
        let mut all = vec![("sec-websocket-protocol", endpoint::SUBPROTOCOL)];
        if let Some(cookie) = &person.cookie {
            all.push(("cookie", cookie));
        }
        all.extend(headers);
        for (name, value) in all {
            request.headers_mut().insert(name, value.parse().expect("a valid header"));
        }
        let address = request.uri().authority().and_then(|at| at.as_str().parse().ok()).expect("an address");
        let tcp = TcpSocket::new_v4()?;
        // By default, the library keeps 128 KiB for each.
        let small = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(4_096);
        tcp.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        let (stream, handshake) =
            client_async_with_config(request, tcp.connect(address).await?, Some(small)).await?;
        Ok(Socket { stream, handshake })
    }

    pub async fn send_frame(&mut self, frame: &ClientFrame) {
        self.send_text(&serde_json::to_string(frame).expect("a frame is JSON")).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await.expect("the socket is open");
    }

    /// Sends any WebSocket message.
    pub async fn send_message(&mut self, message: Message) -> Result<(), Error> {
        self.stream.send(message).await
    }

    /// Subscribes to a topic as a listed member.
    pub async fn subscribe(&mut self, topic: &Topic) {
        self.send_frame(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::Yes }).await;
    }

    /// Receives the next message; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        self.stream.next().await
    }

    /// Receives the next frame that is neither a ping nor a presence.
    pub async fn receive(&mut self) -> ServerFrame {
        loop {
            let message = in_time("a frame", self.next()).await;
            match message.expect("the socket is open").expect("the socket works") {
                Message::Text(text) => match read_frame(&text) {
                    ServerFrame::Ping { .. } | ServerFrame::Presence { .. } => {}
                    frame => return frame,
                },
                other => panic!("{other:?} is not a frame"),
            }
        }
    }

    pub async fn receive_welcome(&mut self) -> Welcome {
        match self.receive().await {
            ServerFrame::Welcome(welcome) => *welcome,
            other => panic!("expected a welcome, got {other:?}"),
        }
    }

    /// Receives a `head` of a topic.
    pub async fn receive_head(&mut self, of: &Topic) -> (Epoch, Seq) {
        match self.receive().await {
            ServerFrame::Head { topic, epoch, seq } if topic == *of => (epoch, seq),
            other => panic!("expected a head of {of}, got {other:?}"),
        }
    }

    pub async fn receive_event(&mut self) -> Event {
        match self.receive().await {
            ServerFrame::Event(event) => event,
            other => panic!("expected an event, got {other:?}"),
        }
    }

    /// Asserts that no frame is on its way: the next one is the answer to a ping.
    pub async fn assert_silent(&mut self) {
        self.send_frame(&ClientFrame::Ping { at: 4_711 }).await;
        assert_eq!(self.receive().await, ServerFrame::Pong { at: 4_711 });
    }

    /// Receives all frames up to the close. Returns them with the close code: 1006 if the connection just ended.
    pub async fn receive_close(mut self) -> (Vec<ServerFrame>, u16) {
        let mut frames = Vec::new();
        loop {
            match in_time("the socket is closed", self.next()).await {
                Some(Ok(Message::Text(text))) => frames.push(read_frame(&text)),
                Some(Ok(Message::Close(Some(close)))) => return (frames, close.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (frames, 1006),
            }
        }
    }
}

/// Reads a frame of the node. Panics on an unknown one, as a strict client would fail on it.
pub fn read_frame(text: &str) -> ServerFrame {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
