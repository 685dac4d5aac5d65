//! A WebSocket between a reader and a process: an ordered stream that can be slow, stall, or be cut, with or
//! without its two ends being told.

use std::sync::Arc;

use realtime::Visitor;
use shared::CloseReason;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::process::{Process, Sent};
use super::reader::Reader;
use super::world::World;

/// Frames that the kernels on the way hold for a reader that does not read.
const LANE_FRAMES: usize = 2;
/// What a browser makes of a connection that vanished.
const VANISHED: CloseReason = CloseReason::Other(1006);

/// The reader's end. Dropping it hangs up.
pub struct Line(UnboundedSender<String>);

/// Why a link carries no more.
enum End {
    /// The node said goodbye, and it arrived.
    Closed(CloseReason),
    /// The reader hung up.
    HungUp,
    /// The node let go without a word.
    Gone,
    /// Somebody tripped over the cable.
    Cut,
}

/// The two ends on their way through the network.
struct Cable<'a> {
    reader: &'a Arc<Reader>,
    number: u64,
    world: &'a World,
    cut: CancellationToken,
}

impl Line {
    /// Begins to connect; what becomes of it the reader is told under that number.
    pub fn open(reader: Arc<Reader>, number: u64) -> Line {
        let (to_node, said) = unbounded_channel();
        tokio::spawn(async move { connect(&reader, number, said).await });
        Line(to_node)
    }

    /// Sends a frame. Whether it arrives, only an answer tells.
    pub fn say(&self, text: String) {
        self.0.send(text).ok();
    }
}

async fn connect(reader: &Arc<Reader>, number: u64, said: UnboundedReceiver<String>) {
    let world = reader.world().clone();
    world.chance.pause(1..=60).await;
    let Some(process) = reader.network.lets_sockets_through().then(|| world.reach()).flatten() else {
        return reader.closed(number, VANISHED);
    };
    let visitor = reader.visitor();
    if process.is_draining() || !world.people.knows(&visitor.identity.id, visitor.sign_in) {
        // A handshake that is refused does not say why.
        return reader.closed(number, VANISHED);
    }
    serve(reader, number, process, visitor, said).await;
}

async fn serve(
    reader: &Arc<Reader>,
    number: u64,
    process: Arc<Process>,
    visitor: Visitor,
    said: UnboundedReceiver<String>,
) {
    let world = reader.world();
    world.trace.note(format_args!("{} opens socket {number} to {}", reader.identity.id, process.name));
    world.trace.count("socket opened");
    let (sent, to_carry) = channel(LANE_FRAMES);
    let (carried, received) = channel(LANE_FRAMES);
    let cable = Cable { reader, number, world, cut: reader.network.plug_in() };
    tokio::join!(process.serve(world, visitor, received, sent), cable.carry(to_carry, carried, said));
}

impl Cable<'_> {
    async fn carry(
        self,
        mut sent: Receiver<Sent>,
        carried: Sender<String>,
        mut said: UnboundedReceiver<String>,
    ) {
        let end = tokio::select! {
            biased;
            () = self.cut.cancelled() => End::Cut,
            end = self.carry_down(&mut sent) => end,
            end = self.carry_up(&mut said, &carried) => end,
        };
        let (reader, number, chance) = (self.reader.clone(), self.number, self.world.chance.clone());
        let told = chance.one_in(2);
        match end {
            End::Closed(reason) => reader.closed(number, reason),
            End::Gone | End::Cut if told => {
                tokio::spawn(async move {
                    chance.pause(0..=1_500).await;
                    reader.closed(number, VANISHED);
                });
            }
            // Whoever hears nothing finds out by the silence.
            End::Gone | End::Cut | End::HungUp => {}
        }
        if matches!(end, End::Cut | End::HungUp) && self.world.chance.one_in(2) {
            self.world.trace.count("half-open link");
            carried.closed().await;
        }
    }

    async fn carry_down(&self, sent: &mut Receiver<Sent>) -> End {
        loop {
            let Some(next) = sent.recv().await else { return End::Gone };
            let late = if self.world.chance.strikes(40) { 2_500 } else { 12 };
            self.world.chance.pause(0..=late).await;
            self.reader.network.takes().await;
            match next {
                Sent::Frame(frame) => self.reader.hears(self.number, &frame),
                Sent::Close(reason) => return End::Closed(reason),
            }
        }
    }

    async fn carry_up(&self, said: &mut UnboundedReceiver<String>, carried: &Sender<String>) -> End {
        loop {
            let Some(text) = said.recv().await else { return End::HungUp };
            self.world.chance.pause(0..=12).await;
            if carried.send(text).await.is_err() {
                // What the node still had to say comes the other way.
                std::future::pending::<()>().await;
            }
        }
    }
}
