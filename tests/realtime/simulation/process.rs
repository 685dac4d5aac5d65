//! `Process`: a node that can be killed, with the loop between a session and its socket that the server has in
//! `http/api/socket.rs`.
//!
//! A killed process does nothing that others could notice: its log and its bus never answer again, and its sockets end.
//! Nobody reaches the state that is left in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use realtime::{Ending, Node, NodeDeps, NodeLimits, Session, SignInId, Visitor, encode};
use shared::{CloseReason, ServerFrame, SessionLimits, UserId};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::faulty_log::FaultyLog;
use super::socket_checker::SocketChecker;
use super::trace::now;
use super::world::World;

/// The interval of a node's pings, short enough for half-open links to be found within a run.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The same as in the server.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const PINGS_MAX: u32 = 2;
/// A node that stops waits for its sessions for this long.
const GRACE: Duration = Duration::from_secs(5);
/// A node that stops must have ended after this time.
const STOP_MAX: Duration = Duration::from_secs(60);

/// A node, from its start to its end.
pub struct Process {
    /// The site and the number of the start there, such as `node2.1`.
    pub name: String,
    /// The node under test.
    pub node: Arc<Node>,
    /// Cancelled once the process was killed or has ended.
    pub gone: CancellationToken,
    draining: AtomicBool,
}

/// A message of a node on a socket.
pub enum NodeMessage {
    Frame(Bytes),
    Close(CloseReason),
}

impl Process {
    pub fn start(world: &World, name: String) -> Arc<Process> {
        let gone = CancellationToken::new();
        let log = FaultyLog {
            process: name.clone(),
            log: world.log.clone(),
            rng: world.rng.clone(),
            trace: world.trace.clone(),
            gone: gone.clone(),
        };
        let node = Node::start(NodeDeps {
            name: name.clone(),
            build: "simulated".into(),
            log: Arc::new(log),
            bus: Arc::new(world.bus.connect(gone.clone())),
            rules: vec![("probe", Arc::new(world.accounts.clone()))],
            limits: limits(world),
            clock: now,
        });
        Arc::new(Process { name, node, gone, draining: AtomicBool::new(false) })
    }

    /// Ends the process as `kill -9` does.
    pub fn kill(&self) {
        self.gone.cancel();
    }

    /// Ends the process as SIGTERM does. Returns false if it does not end in time.
    pub async fn stop(&self) -> bool {
        self.draining.store(true, Ordering::Relaxed);
        self.node.drain(GRACE.as_millis() as u64 / 2);
        // A session that does not take its last frames in time is cut off.
        timeout(GRACE, self.node.all_sessions_ended()).await.ok();
        let ended = self.gone.run_until_cancelled(timeout(STOP_MAX, self.node.stop())).await;
        self.gone.cancel();
        // A process that was killed in the meantime has ended as well.
        ended.is_none_or(|ended| ended.is_ok())
    }

    /// Returns true if the process accepts no more sockets.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Checks again that a visitor is welcome. Between the first check and the opening of a session, nobody would have
    /// told the session that the visitor was signed out or that the node is stopping.
    pub fn recheck_visitor(&self, world: &World, user: &UserId, sign_in: SignInId) -> Option<Ending> {
        if self.is_draining() {
            return Some(Ending::Drain { reconnect_after_ms: 500 });
        }
        let is_signed_in = world.accounts.is_signed_in(user, sign_in);
        (!is_signed_in).then_some(Ending::Close(CloseReason::IdentityEnded))
    }

    /// Serves a socket to its end.
    pub async fn serve(
        &self,
        world: &World,
        visitor: Visitor,
        received: Receiver<String>,
        sender: Sender<NodeMessage>,
    ) {
        let socket = SocketLoop { process: self, world, sender, unanswered_pings: 0 };
        self.gone.run_until_cancelled(socket.run(visitor, received)).await;
    }
}

/// The state of the loop that serves a socket.
struct SocketLoop<'a> {
    process: &'a Process,
    world: &'a World,
    sender: Sender<NodeMessage>,
    unanswered_pings: u32,
}

/// The reason why a loop ends.
enum LoopExit {
    Close(CloseReason),
    Gone,
}

impl SocketLoop<'_> {
    async fn run(mut self, visitor: Visitor, received: Receiver<String>) {
        let user = visitor.identity.id.clone();
        let sign_in = visitor.sign_in;
        let mut checker = SocketChecker::new(self.world, &self.process.name, &user);
        let session = Session::open(&self.process.node, visitor);
        if let Some(ending) = self.process.recheck_visitor(self.world, &user, sign_in) {
            session.mailbox().end(ending);
        }
        if let LoopExit::Close(reason) = self.serve(session, received, &mut checker).await {
            timeout(Duration::from_secs(1), self.sender.send(NodeMessage::Close(reason))).await.ok();
        }
    }

    async fn serve(
        &mut self,
        mut session: Session,
        mut received: Receiver<String>,
        checker: &mut SocketChecker<'_>,
    ) -> LoopExit {
        let mailbox = session.mailbox().clone();
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let batch = mailbox.take();
            checker.check(&batch);
            for frame in batch.frames {
                if let Err(exit) = self.write(frame).await {
                    return exit;
                }
            }
            match batch.ending {
                None => {}
                Some(Ending::Close(reason)) => return LoopExit::Close(reason),
                Some(Ending::Drain { reconnect_after_ms }) => {
                    self.world.trace.count("drained");
                    let drain = self.write(encode(&ServerFrame::Drain { reconnect_after_ms })).await;
                    return drain.err().unwrap_or(LoopExit::Close(CloseReason::ServiceRestart));
                }
            }
            session.catch_up();
            let text = tokio::select! {
                biased;
                _ = heartbeat.tick() => {
                    if self.unanswered_pings >= PINGS_MAX {
                        self.world.trace.count("half-open found by the node");
                        return LoopExit::Close(CloseReason::HeartbeatMissed);
                    }
                    self.unanswered_pings += 1;
                    if let Err(exit) = self.write(encode(&ServerFrame::Ping { at: now() })).await {
                        return exit;
                    }
                    continue;
                }
                () = mailbox.filled() => continue,
                text = received.recv(), if mailbox.can_answer() => text,
            };
            let Some(text) = text else { return LoopExit::Gone };
            self.unanswered_pings = 0;
            session.on_text(&text).await;
        }
    }

    async fn write(&self, frame: Bytes) -> Result<(), LoopExit> {
        match timeout(SEND_TIMEOUT, self.sender.send(NodeMessage::Frame(frame))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(LoopExit::Gone),
            Err(_) => Err(LoopExit::Close(CloseReason::SendTimedOut)),
        }
    }
}

/// Returns small mailboxes, which overflow often, and rates that nobody reaches, since rates use the real clock.
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
        mailbox_frames_max: world.sizes.mailbox_frames_max as usize,
        mailbox_bytes_max: 262_144,
        heartbeat_secs: HEARTBEAT.as_secs() as u32,
    }
}
