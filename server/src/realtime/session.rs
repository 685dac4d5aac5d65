//! `Session`: one connected client's protocol state. Frames in as text, frames out into its outbox; no socket.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use shared::{
    ClientFrame, CloseReason, ErrorCode, Listed, Payload, Problem, ServerFrame, Topic, UserId, Welcome,
};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::realtime::access::Visitor;
use crate::realtime::node::Node;
use crate::realtime::outbox::{Ending, Outbox, encode};
use crate::realtime::sessions::SessionId;
use crate::realtime::watched::{Leave, Listener, What};

/// A client that sends this many bad frames within [`ERRORS_WINDOW`] is broken or hostile.
const ERRORS_MAX: usize = 20;
const ERRORS_WINDOW: Duration = Duration::from_secs(60);

/// See the module. Dropping it leaves every topic.
pub struct Session {
    id: SessionId,
    user: UserId,
    node: Arc<Node>,
    outbox: Arc<Outbox>,
    topics: BTreeSet<Topic>,
    signals: DefaultDirectRateLimiter,
    errors: VecDeque<Instant>,
}

impl Session {
    /// Opens a session and queues its `welcome`.
    pub fn open(node: &Arc<Node>, visitor: Visitor) -> Session {
        let limits = &node.limits;
        let outbox = Outbox::new(limits.outbox_frames_max as usize, limits.outbox_bytes_max as usize);
        let outbox = Arc::new(outbox);
        let you = visitor.identity.clone();
        let user = you.id.clone();
        let id = node.sessions.add(visitor, outbox.clone());
        outbox.answer(encode(&ServerFrame::Welcome(Box::new(Welcome {
            protocol: 1,
            build: node.build.clone(),
            node: node.name.clone(),
            session: format!("{}-{}", node.name, id.0),
            you,
            now: node.now(),
            heartbeat_secs: limits.heartbeat_secs,
            limits: limits.of_session(),
        }))));
        let signals = NonZeroU32::new(limits.session_signals_per_sec).unwrap_or(NonZeroU32::MIN);
        let session = Session {
            id,
            user,
            node: node.clone(),
            outbox,
            topics: BTreeSet::new(),
            signals: RateLimiter::direct(Quota::per_second(signals)),
            errors: VecDeque::new(),
        };
        session.span().in_scope(|| tracing::debug!("a session opened"));
        session
    }

    /// The frames that wait for this client.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Takes in one text frame.
    pub async fn on_text(&mut self, text: &str) {
        let span = self.span();
        self.on_frame(text).instrument(span).await;
    }

    async fn on_frame(&mut self, text: &str) {
        match read(text) {
            Ok(ClientFrame::Subscribe { topic, listed }) => self.subscribe(topic, listed).await,
            Ok(ClientFrame::Unsubscribe { topic }) => self.unsubscribe(&topic),
            Ok(ClientFrame::Signal { topic, payload }) => self.signal(topic, payload),
            Ok(ClientFrame::Ping { at }) => self.outbox.answer(encode(&ServerFrame::Pong { at })),
            Ok(ClientFrame::Pong { .. }) => {}
            Err(error) => self.on_error(Problem::new(
                ErrorCode::Invalid,
                format!("a frame must be one JSON object with one key, the frame's name: {error}"),
            )),
        }
    }

    /// Takes in a frame that closes the socket.
    pub fn on_unacceptable(&mut self, reason: CloseReason) {
        let problem = match reason {
            CloseReason::Binary => Problem::new(ErrorCode::Invalid, "frames must be text, not binary"),
            _ => Problem::new(
                ErrorCode::TooLarge,
                format!("a frame may have at most {} bytes", self.node.limits.frame_bytes_max),
            ),
        };
        self.on_error(problem);
        self.outbox.end(Ending::Close(reason));
    }

    /// The client sends faster than it may, and is not read for a moment.
    pub fn on_too_fast(&self) {
        self.node.figures().reads_paused.inc();
    }

    /// Now that there is room again: tells the heads of the topics that were skipped, and who is there by now.
    pub fn catch_up(&self) {
        let owed = self.outbox.owed();
        for topic in &owed.heads {
            self.node.figures().topics_behind.inc();
            self.node.hub.settle(topic, self.id, What::Head);
        }
        owed.presences.iter().for_each(|topic| self.node.hub.settle(topic, self.id, What::Presence));
    }

    /// What its log lines carry. Made for each of them, since most sessions are idle.
    fn span(&self) -> Span {
        let (node, id) = (&self.node.name, self.id.0);
        tracing::info_span!("session", session = format_args!("{node}-{id}"), user = %self.user)
    }

    async fn subscribe(&mut self, topic: Topic, listed: Listed) {
        let topics_max = self.node.limits.session_topics_max as usize;
        if !self.topics.contains(&topic) && self.topics.len() >= topics_max {
            // Where a permission ended, the hub has let us go.
            self.node.hub.keep_listened(&mut self.topics, self.id);
        }
        if !self.topics.contains(&topic) && self.topics.len() >= topics_max {
            let detail = format!("at most {topics_max} topics at a time; unsubscribe from one first");
            return self.refuse(topic, Problem::new(ErrorCode::TooMany, detail));
        }
        let Some(Visitor { identity: who, .. }) = self.node.sessions.visitor(self.id) else { return };
        let mut listener = Listener { outbox: self.outbox.clone(), who, listed };
        loop {
            let asked = self.node.hub.permissions();
            if let Err(error) = self.node.may_read(&listener.who, &topic).await {
                self.unsubscribe(&topic);
                return self.refuse(topic, error.problem());
            }
            // They may have another name by now.
            let Some(Visitor { identity, .. }) = self.node.sessions.visitor(self.id) else { return };
            listener.who = identity;
            match self.node.subscribe(&topic, self.id, listener, asked) {
                Ok(()) => break,
                Err(again) => listener = again,
            }
        }
        self.topics.insert(topic);
    }

    fn unsubscribe(&mut self, topic: &Topic) {
        if self.topics.remove(topic) {
            self.node.hub.unsubscribe(topic, self.id, Leave::Now);
        }
    }

    fn signal(&mut self, topic: Topic, payload: Payload) {
        let bytes_max = self.node.limits.signal_bytes_max;
        if payload.as_json().len() > bytes_max as usize {
            let detail = format!("the payload of a signal may have at most {bytes_max} bytes");
            return self.on_error(Problem::new(ErrorCode::TooLarge, detail));
        }
        if self.signals.check().is_err() {
            self.node.figures().signals_dropped.inc();
            return;
        }
        let Some(Visitor { identity: from, .. }) = self.node.sessions.visitor(self.id) else { return };
        let frame = ServerFrame::Signal { topic: topic.clone(), from, payload };
        if !self.node.hub.signal(&topic, self.id, &frame) {
            let detail = format!("signal only where you are subscribed and listed, which {topic} is not");
            self.on_error(Problem::new(ErrorCode::Forbidden, detail));
        }
    }

    fn refuse(&self, topic: Topic, problem: Problem) {
        self.outbox.answer(encode(&ServerFrame::Refused { topic, problem }));
    }

    fn on_error(&mut self, problem: Problem) {
        self.node.figures().frames_refused.inc();
        self.outbox.answer(encode(&ServerFrame::Error { problem }));
        let now = Instant::now();
        self.errors.push_back(now);
        while self.errors.front().is_some_and(|first| now - *first > ERRORS_WINDOW) {
            self.errors.pop_front();
        }
        if self.errors.len() >= ERRORS_MAX {
            self.outbox.end(Ending::Close(CloseReason::TooManyErrors));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.span().in_scope(|| tracing::debug!(ending = ?self.outbox.ending(), "a session ended"));
        let signed_out = self.outbox.ending() == Some(Ending::Close(CloseReason::IdentityEnded));
        let leave = if signed_out { Leave::Now } else { Leave::Lost };
        self.topics.iter().for_each(|topic| self.node.hub.unsubscribe(topic, self.id, leave));
        self.node.sessions.remove(self.id);
    }
}

/// Reads a frame, with errors that name the field.
fn read(text: &str) -> Result<ClientFrame, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let frame = serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())?;
    json.end().map_err(|error| error.to_string())?;
    Ok(frame)
}
