//! A WebSocket between a reader and a process: an ordered stream that can be slow, stall or be cut, with or without
//! its two ends noticing.

use std::sync::Arc;

use realtime::Visitor;
use shared::CloseReason;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::process::{NodeMessage, Process};
use super::reader::Reader;
use super::world::World;

/// The number of frames that the kernels along the way buffer for a reader that does not read.
const BUFFERED_FRAMES: usize = 2;
/// The reason that a browser reports for a connection that vanished.
const VANISHED: CloseReason = CloseReason::Other(1006);

/// The reader's end of a socket. Dropping it closes the socket.
pub struct SocketHandle(UnboundedSender<String>);

/// The reason why a link stopped carrying frames.
enum Disconnect {
    /// The node closed the socket, and the reader got its close frame.
    Closed(CloseReason),
    /// The reader closed the socket.
    ReaderClosed,
    /// The node vanished without a close frame.
    NodeGone,
    /// The network cut the connection.
    Cut,
}

/// The network path of one socket.
struct Link<'a> {
    reader: &'a Arc<Reader>,
    number: u64,
    world: &'a World,
    cut: CancellationToken,
}

impl SocketHandle {
    /// Begins to connect. The reader's callbacks get `number`, so that it recognizes events of an earlier socket.
    pub fn open(reader: Arc<Reader>, number: u64) -> SocketHandle {
        let (sender, from_reader) = unbounded_channel();
        tokio::spawn(async move { connect(&reader, number, from_reader).await });
        SocketHandle(sender)
    }

    /// Sends a frame. Only an answer proves that it arrived.
    pub fn send(&self, text: String) {
        self.0.send(text).ok();
    }
}

async fn connect(reader: &Arc<Reader>, number: u64, from_reader: UnboundedReceiver<String>) {
    let world = reader.world().clone();
    world.rng.sleep(1..=60).await;
    let Some(process) = reader.network.lets_sockets_through().then(|| world.reach()).flatten() else {
        return reader.closed(number, VANISHED);
    };
    let visitor = reader.visitor();
    if process.is_draining() || !world.accounts.is_signed_in(&visitor.identity.id, visitor.sign_in) {
        // A browser does not learn why a handshake was refused.
        return reader.closed(number, VANISHED);
    }
    serve(reader, number, process, visitor, from_reader).await;
}

async fn serve(
    reader: &Arc<Reader>,
    number: u64,
    process: Arc<Process>,
    visitor: Visitor,
    from_reader: UnboundedReceiver<String>,
) {
    let world = reader.world();
    world.trace.note(format_args!("{} opens socket {number} to {}", reader.identity.id, process.name));
    world.trace.count("socket opened");
    let (sent, from_node) = channel(BUFFERED_FRAMES);
    let (to_node, received) = channel(BUFFERED_FRAMES);
    let link = Link { reader, number, world, cut: reader.network.new_connection() };
    tokio::join!(process.serve(world, visitor, received, sent), link.carry(from_node, to_node, from_reader));
}

impl Link<'_> {
    async fn carry(
        self,
        mut from_node: Receiver<NodeMessage>,
        to_node: Sender<String>,
        mut from_reader: UnboundedReceiver<String>,
    ) {
        let disconnect = tokio::select! {
            biased;
            () = self.cut.cancelled() => Disconnect::Cut,
            disconnect = self.carry_to_reader(&mut from_node) => disconnect,
            disconnect = self.carry_to_node(&mut from_reader, &to_node) => disconnect,
        };
        let reader = self.reader.clone();
        let number = self.number;
        let rng = self.world.rng.clone();
        let is_noticed = rng.one_in(2);
        match disconnect {
            Disconnect::Closed(reason) => reader.closed(number, reason),
            Disconnect::NodeGone | Disconnect::Cut if is_noticed => {
                tokio::spawn(async move {
                    rng.sleep(0..=1_500).await;
                    reader.closed(number, VANISHED);
                });
            }
            // Without a notification only silence reveals the loss.
            Disconnect::NodeGone | Disconnect::Cut | Disconnect::ReaderClosed => {}
        }
        if matches!(disconnect, Disconnect::Cut | Disconnect::ReaderClosed) && self.world.rng.one_in(2) {
            self.world.trace.count("half-open link");
            to_node.closed().await;
        }
    }

    async fn carry_to_reader(&self, from_node: &mut Receiver<NodeMessage>) -> Disconnect {
        loop {
            let Some(message) = from_node.recv().await else { return Disconnect::NodeGone };
            let delay_ms_max = if self.world.rng.fault_one_in(40) { 2_500 } else { 12 };
            self.world.rng.sleep(0..=delay_ms_max).await;
            self.reader.network.wait_until_reading().await;
            match message {
                NodeMessage::Frame(frame) => self.reader.on_frame(self.number, &frame),
                NodeMessage::Close(reason) => return Disconnect::Closed(reason),
            }
        }
    }

    async fn carry_to_node(
        &self,
        from_reader: &mut UnboundedReceiver<String>,
        to_node: &Sender<String>,
    ) -> Disconnect {
        loop {
            let Some(text) = from_reader.recv().await else { return Disconnect::ReaderClosed };
            self.world.rng.sleep(0..=12).await;
            if to_node.send(text).await.is_err() {
                // Frames that the node sent before it stopped reading still arrive the other way.
                std::future::pending::<()>().await;
            }
        }
    }
}
