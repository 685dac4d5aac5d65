//! `Session`: one connected client's protocol state. Frames come in as text and go out into its mailbox; no socket.

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

use crate::access::Visitor;
use crate::live_topic::{Leave, Subscriber};
use crate::mailbox::{Debt, Ending, Mailbox, encode};
use crate::node::Node;
use crate::sessions::SessionId;

/// A client that sends this many bad frames within [`ERRORS_WINDOW`] is broken or hostile.
const ERRORS_MAX: usize = 20;
const ERRORS_WINDOW: Duration = Duration::from_secs(60);

/// The protocol state of one client: its subscriptions, its rates and its errors. Dropping it leaves every topic.
pub struct Session {
    id: SessionId,
    user: UserId,
    node: Arc<Node>,
    mailbox: Arc<Mailbox>,
    topics: BTreeSet<Topic>,
    signals: DefaultDirectRateLimiter,
    errors: VecDeque<Instant>,
}

impl Session {
    /// Opens a session and queues its `welcome`.
    pub fn open(node: &Arc<Node>, visitor: Visitor) -> Session {
        let limits = &node.limits;
        let mailbox = Arc::new(Mailbox::new(limits.mailbox_frames_max, limits.mailbox_bytes_max));
        let you = visitor.identity.clone();
        let user = you.id.clone();
        let id = node.sessions.add(visitor, mailbox.clone());
        mailbox.answer(encode(&ServerFrame::Welcome(Box::new(Welcome {
            protocol: 1,
            build: node.build.clone(),
            node: node.name.clone(),
            session: format!("{}-{}", node.name, id.0),
            you,
            now: node.now(),
            heartbeat_secs: limits.heartbeat_secs,
            limits: limits.session.clone(),
        }))));
        let signals = NonZeroU32::new(limits.session.session_signals_per_sec).unwrap_or(NonZeroU32::MIN);
        let session = Session {
            id,
            user,
            node: node.clone(),
            mailbox,
            topics: BTreeSet::new(),
            signals: RateLimiter::direct(Quota::per_second(signals)),
            errors: VecDeque::new(),
        };
        session.span().in_scope(|| tracing::debug!("a session opened"));
        session
    }

    /// The frames that wait for this client.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
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
            Ok(ClientFrame::Ping { at }) => self.mailbox.answer(encode(&ServerFrame::Pong { at })),
            Ok(ClientFrame::Pong { .. }) => {}
            Err(error) => self.on_error(Problem::new(
                ErrorCode::Invalid,
                format!("a frame must be one JSON object with one key, the frame's name: {error}"),
            )),
        }
    }

    /// Answers a frame that closes the socket.
    pub fn on_unacceptable(&mut self, reason: CloseReason) {
        let problem = match reason {
            CloseReason::Binary => Problem::new(ErrorCode::Invalid, "frames must be text, not binary"),
            _ => Problem::new(
                ErrorCode::TooLarge,
                format!("a frame may have at most {} bytes", self.node.limits.session.frame_bytes_max),
            ),
        };
        self.on_error(problem);
        self.mailbox.end(Ending::Close(reason));
    }

    /// Counts a frame past the client's rate, after which its socket is not read for a moment.
    pub fn on_too_fast(&self) {
        self.node.metrics().reads_paused.inc();
    }

    /// Offers the client the frames that its mailbox owes, now that there is room again.
    pub fn catch_up(&self) {
        let debts = self.mailbox.debts();
        if debts.is_empty() {
            return;
        }
        self.node.hub.settle(self.id, &debts);
        let heads = |debts: &[(Topic, Debt)]| debts.iter().filter(|(_, debt)| *debt == Debt::Head).count();
        let told = heads(&debts).saturating_sub(heads(&self.mailbox.debts()));
        self.node.metrics().topics_behind.inc_by(told as u64);
    }

    /// The span of this session's log lines, made for each of them because most sessions are idle.
    fn span(&self) -> Span {
        let node = &self.node.name;
        let id = self.id.0;
        tracing::info_span!("session", session = format_args!("{node}-{id}"), user = %self.user)
    }

    /// Subscribes, once the access rule has said yes under the permissions and the name that still hold when the hub
    /// adds the subscriber; see [`Permissions`](crate::hub::Permissions) for an example.
    async fn subscribe(&mut self, topic: Topic, listed: Listed) {
        if self.has_too_many_topics(&topic) {
            let topics_max = self.node.limits.session.session_topics_max;
            let detail = format!("at most {topics_max} topics at a time; unsubscribe from one first");
            return self.refuse(topic, Problem::new(ErrorCode::TooMany, detail));
        }
        loop {
            let asked = self.node.hub.permissions();
            let Some(Visitor { identity: who, .. }) = self.node.sessions.visitor(self.id) else { return };
            if let Err(error) = self.node.may_read(&who, &topic).await {
                self.unsubscribe(&topic);
                return self.refuse(topic, error.problem());
            }
            let subscriber = Subscriber { mailbox: self.mailbox.clone(), who, listed };
            if self.node.subscribe(&topic, self.id, subscriber, asked).is_ok() {
                break;
            }
        }
        self.topics.insert(topic);
    }

    fn has_too_many_topics(&mut self, new: &Topic) -> bool {
        let topics_max = self.node.limits.session.session_topics_max as usize;
        if self.topics.contains(new) || self.topics.len() < topics_max {
            return false;
        }
        // The hub has dropped those whose permission ended.
        self.node.hub.keep_subscribed(&mut self.topics, self.id);
        self.topics.len() >= topics_max
    }

    fn unsubscribe(&mut self, topic: &Topic) {
        if self.topics.remove(topic) {
            self.node.hub.unsubscribe(topic, self.id, Leave::Now);
        }
    }

    fn signal(&mut self, topic: Topic, payload: Payload) {
        let bytes_max = self.node.limits.session.signal_bytes_max;
        if payload.as_json().len() > bytes_max as usize {
            let detail = format!("the payload of a signal may have at most {bytes_max} bytes");
            return self.on_error(Problem::new(ErrorCode::TooLarge, detail));
        }
        if self.signals.check().is_err() {
            self.node.metrics().signals_dropped.inc();
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
        self.mailbox.answer(encode(&ServerFrame::Refused { topic, problem }));
    }

    fn on_error(&mut self, problem: Problem) {
        self.node.metrics().frames_refused.inc();
        self.mailbox.answer(encode(&ServerFrame::Error { problem }));
        let now = Instant::now();
        self.errors.push_back(now);
        while self.errors.front().is_some_and(|first| now - *first > ERRORS_WINDOW) {
            self.errors.pop_front();
        }
        if self.errors.len() >= ERRORS_MAX {
            self.mailbox.end(Ending::Close(CloseReason::TooManyErrors));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.span().in_scope(|| tracing::debug!(ending = ?self.mailbox.ending(), "a session ended"));
        let signed_out = self.mailbox.ending() == Some(Ending::Close(CloseReason::IdentityEnded));
        let leave = if signed_out { Leave::Now } else { Leave::Lost };
        for topic in &self.topics {
            self.node.hub.unsubscribe(topic, self.id, leave);
        }
        self.node.sessions.remove(self.id);
    }
}

/// Reads a frame. The error names the field.
fn read(text: &str) -> Result<ClientFrame, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let frame = serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())?;
    json.end().map_err(|error| error.to_string())?;
    Ok(frame)
}
