//! `Process`: a node that can be killed, and its loop between a session and a link: `http/socket.rs` without the
//! socket.
//!
//! A killed process does nothing any more that others could notice: its log and its bus never answer again, and
//! its links end. What is left of it in memory nobody reaches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use realtime::{Ending, Node, NodeDeps, NodeLimits, Session, SignInId, Visitor, encode};
use shared::{CloseReason, ServerFrame, SessionLimits, UserId};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::log::LogEnd;
use super::trace::now;
use super::witness::Witness;
use super::world::World;

/// How often a node pings: so short that half-open links are found within a run.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// As in `http/socket.rs`.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const PINGS_MAX: u32 = 2;
/// How long a node that stops waits for its sessions, and at most for everything else.
const GRACE: Duration = Duration::from_secs(5);
const STOP_MAX: Duration = Duration::from_secs(60);

/// See the module.
pub struct Process {
    /// HeadsOf one, and which life of it.
    pub name: String,
    /// The real thing.
    pub node: Arc<Node>,
    /// It was killed, or has ended.
    pub gone: CancellationToken,
    draining: AtomicBool,
}

/// What a node puts on a link.
pub enum Sent {
    /// A frame.
    Frame(Bytes),
    /// The end, with its reason.
    Close(CloseReason),
}

impl Process {
    /// Starts a node.
    pub fn start(world: &World, name: String) -> Arc<Process> {
        let gone = CancellationToken::new();
        let (chance, trace) = (world.chance.clone(), world.trace.clone());
        let log = LogEnd { process: name.clone(), log: world.log.clone(), chance, trace, gone: gone.clone() };
        let node = Node::start(NodeDeps {
            name: name.clone(),
            build: "simulated".into(),
            log: Arc::new(log),
            bus: Arc::new(world.bus.end(gone.clone())),
            rules: vec![("probe", Arc::new(world.people.clone()))],
            limits: limits(world),
            clock: now,
        });
        Arc::new(Process { name, node, gone, draining: AtomicBool::new(false) })
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&self) {
        self.gone.cancel();
    }

    /// Ends it as SIGTERM does. Tells whether that came to an end.
    pub async fn stop(&self) -> bool {
        self.draining.store(true, Ordering::Relaxed);
        self.node.drain(GRACE.as_millis() as u64 / 2);
        // Whoever does not take its last frames in time is cut off.
        timeout(GRACE, self.node.all_sessions_ended()).await.ok();
        let ended = self.gone.run_until_cancelled(timeout(STOP_MAX, self.node.stop())).await;
        self.gone.cancel();
        // Whoever was killed meanwhile has ended as well.
        ended.is_none_or(|ended| ended.is_ok())
    }

    /// Whether it takes no more sockets.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// What changed between the checks of a request and the moment from which its session hears of such things.
    pub fn recheck_visitor(&self, world: &World, who: &UserId, sign_in: SignInId) -> Option<Ending> {
        if self.is_draining() {
            return Some(Ending::Drain { reconnect_after_ms: 500 });
        }
        (!world.people.knows(who, sign_in)).then_some(Ending::Close(CloseReason::IdentityEnded))
    }

    /// Serves one socket to its end.
    pub async fn serve(&self, world: &World, visitor: Visitor, received: Receiver<String>, to: Sender<Sent>) {
        let socket = Served { process: self, world, to, pings: 0 };
        self.gone.run_until_cancelled(socket.run(visitor, received)).await;
    }
}

/// One socket, as its loop sees it.
struct Served<'a> {
    process: &'a Process,
    world: &'a World,
    to: Sender<Sent>,
    pings: u32,
}

/// Why a loop ends.
enum End {
    Close(CloseReason),
    Gone,
}

impl Served<'_> {
    async fn run(mut self, visitor: Visitor, received: Receiver<String>) {
        let mut witness = Witness::new(self.world, &self.process.name, &visitor.identity.id);
        let (who, sign_in) = (visitor.identity.id.clone(), visitor.sign_in);
        let session = Session::open(&self.process.node, visitor);
        if let Some(ending) = self.process.recheck_visitor(self.world, &who, sign_in) {
            session.mailbox().end(ending);
        }
        if let End::Close(reason) = self.serve(session, received, &mut witness).await {
            timeout(Duration::from_secs(1), self.to.send(Sent::Close(reason))).await.ok();
        }
    }

    async fn serve(
        &mut self,
        mut session: Session,
        mut received: Receiver<String>,
        seen: &mut Witness<'_>,
    ) -> End {
        let mailbox = session.mailbox().clone();
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let batch = mailbox.take();
            seen.sees(&batch);
            for frame in batch.frames {
                if let Err(end) = self.write(frame).await {
                    return end;
                }
            }
            match batch.ending {
                None => {}
                Some(Ending::Close(reason)) => return End::Close(reason),
                Some(Ending::Drain { reconnect_after_ms }) => {
                    self.world.trace.count("drained");
                    let drain = self.write(encode(&ServerFrame::Drain { reconnect_after_ms })).await;
                    return drain.err().unwrap_or(End::Close(CloseReason::ServiceRestart));
                }
            }
            session.catch_up();
            let text = tokio::select! {
                biased;
                _ = heartbeat.tick() => {
                    if self.pings >= PINGS_MAX {
                        self.world.trace.count("half-open found by the node");
                        return End::Close(CloseReason::HeartbeatMissed);
                    }
                    self.pings += 1;
                    if let Err(end) = self.write(encode(&ServerFrame::Ping { at: now() })).await {
                        return end;
                    }
                    continue;
                }
                () = mailbox.filled() => continue,
                text = received.recv(), if mailbox.can_answer() => text,
            };
            let Some(text) = text else { return End::Gone };
            self.pings = 0;
            session.on_text(&text).await;
        }
    }

    async fn write(&self, frame: Bytes) -> Result<(), End> {
        match timeout(SEND_TIMEOUT, self.to.send(Sent::Frame(frame))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Close(CloseReason::SendTimedOut)),
        }
    }
}

/// Small queues, which overflow often; rates that nobody reaches, since they go by the real clock.
fn limits(world: &World) -> NodeLimits {
    NodeLimits {
        session: SessionLimits {
            frame_bytes_max: 16_384,
            payload_bytes_max: 8_192,
            signal_bytes_max: 1_024,
            session_topics_max: 100,
            session_frames_per_sec: 1_000_000,
            session_signals_per_sec: 1_000_000,
        },
        mailbox_frames_max: world.shape.mailbox_frames_max as usize,
        mailbox_bytes_max: 262_144,
        heartbeat_secs: HEARTBEAT.as_secs() as u32,
    }
}
