//! `Socket`: one WebSocket, frame by frame, without any rule of how to use it.

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

/// See the module.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The answer to the handshake.
    pub handshake: Response,
}

impl TestServer {
    /// A socket of that person, whose `welcome` was heard.
    pub async fn socket(&self, person: &Person) -> Socket {
        let mut socket = self.unheard_socket(person).await;
        socket.hears_welcome().await;
        socket
    }

    /// A socket of that person, of which nothing was heard yet.
    pub async fn unheard_socket(&self, person: &Person) -> Socket {
        Socket::open(person, &[]).await.unwrap_or_else(|error| panic!("no socket: {error:?}"))
    }
}

impl Socket {
    /// Opens a socket with that person's cookie and more headers.
    pub async fn open(person: &Person, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        let mut request = person.socket_url().into_client_request()?;
        let offered = [("sec-websocket-protocol", endpoint::SUBPROTOCOL)];
        let cookie = person.cookie.as_deref().map(|cookie| ("cookie", cookie));
        for (name, value) in offered.into_iter().chain(cookie).chain(headers.iter().copied()) {
            request.headers_mut().insert(name, value.parse().expect("a good header"));
        }
        let address = request.uri().authority().and_then(|at| at.as_str().parse().ok()).expect("an address");
        let tcp = TcpSocket::new_v4()?;
        // The library keeps 128 KiB for each otherwise.
        let small = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(4_096);
        tcp.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        let (stream, handshake) =
            client_async_with_config(request, tcp.connect(address).await?, Some(small)).await?;
        Ok(Socket { stream, handshake })
    }

    /// Sends a frame.
    pub async fn says(&mut self, frame: &ClientFrame) {
        self.says_text(&serde_json::to_string(frame).expect("a frame is JSON")).await;
    }

    /// Sends whatever text.
    pub async fn says_text(&mut self, text: &str) {
        self.sends(Message::text(text)).await.expect("the socket is open");
    }

    /// Sends any WebSocket message.
    pub async fn sends(&mut self, message: Message) -> Result<(), Error> {
        self.stream.send(message).await
    }

    /// Asks for a topic.
    pub async fn subscribes(&mut self, topic: &Topic) {
        self.says(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::Yes }).await;
    }

    /// The next message; nothing at the end.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        self.stream.next().await
    }

    /// The next frame, other than a ping of the node and a presence.
    pub async fn hears(&mut self) -> ServerFrame {
        loop {
            let message = in_time("a frame", self.next()).await.expect("still open").expect("still whole");
            match message {
                Message::Text(text) => match read_frame(&text) {
                    ServerFrame::Ping { .. } | ServerFrame::Presence { .. } => {}
                    frame => return frame,
                },
                other => panic!("{other:?} is no frame"),
            }
        }
    }

    /// The next frame is a `welcome`.
    pub async fn hears_welcome(&mut self) -> Welcome {
        match self.hears().await {
            ServerFrame::Welcome(welcome) => *welcome,
            other => panic!("{other:?} in place of a welcome"),
        }
    }

    /// The next frame is a `head`.
    pub async fn hears_head(&mut self, of: &Topic) -> (Epoch, Seq) {
        match self.hears().await {
            ServerFrame::Head { topic, epoch, seq } if topic == *of => (epoch, seq),
            other => panic!("{other:?} in place of a head of {of}"),
        }
    }

    /// The next frame is an `event`.
    pub async fn hears_event(&mut self) -> Event {
        match self.hears().await {
            ServerFrame::Event(event) => event,
            other => panic!("{other:?} in place of an event"),
        }
    }

    /// Asserts that no frame is on its way: what a ping finds is its pong.
    pub async fn hears_nothing(&mut self) {
        self.says(&ClientFrame::Ping { at: 4_711 }).await;
        assert_eq!(self.hears().await, ServerFrame::Pong { at: 4_711 });
    }

    /// The frames up to the close, and its code; 1006 for a connection that just ended.
    pub async fn closed(mut self) -> (Vec<ServerFrame>, u16) {
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

/// A frame of the node. A binary client would fail on anything else, so does a test.
pub fn read_frame(text: &str) -> ServerFrame {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
