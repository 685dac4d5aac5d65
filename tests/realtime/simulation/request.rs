//! HTTP requests of a reader. Each request and each answer can be lost, late or duplicated. A reader that gives up
//! waiting does not stop the node's work.

use std::sync::Arc;
use std::time::Duration;

use realtime::{AppendError, PublishError, Range, ReadError, Visitor, Waiter};
use shared::{Ack, EventPage, Input, Key, Payload, Pull, Seq, Topic};
use tokio::time::{Instant, timeout, timeout_at};

use super::process::Process;
use super::reader::Reader;
use super::trace::now;
use super::world::World;

/// A pull that waits for events gets an empty page after this time.
const WAIT: Duration = Duration::from_secs(10);
/// A request without an answer fails after this time.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// The reason why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestError {
    /// No answer arrived.
    NoAnswer,
    /// The node cannot do it now.
    Unavailable,
    /// The sign-in is not valid.
    SignedOut,
    /// The user may not read the topic.
    Forbidden,
    /// The key already stands for another event.
    KeyReused,
}

/// Sends a request to a node, which handles it with `work`, and waits for the answer.
async fn send<T, W>(reader: &Arc<Reader>, work: impl Fn(Arc<Process>) -> W) -> Result<T, RequestError>
where
    T: Send + 'static,
    W: Future<Output = Result<T, RequestError>> + Send + 'static,
{
    let world = reader.world();
    let network = &reader.network;
    world.rng.sleep(0..=40).await;
    let process = network.is_online().then(|| world.reach()).flatten().ok_or(RequestError::NoAnswer)?;
    if world.rng.fault_one_in(20) {
        world.trace.count("request lost");
        world.rng.sleep(0..=3_000).await;
        return Err(RequestError::NoAnswer);
    }
    let handle = || {
        let work = work(process.clone());
        let gone = process.gone.clone();
        tokio::spawn(async move { gone.run_until_cancelled(work).await })
    };
    if world.rng.fault_one_in(25) {
        world.trace.count("request doubled");
        handle();
    }
    let handled = timeout(ANSWER_MAX, handle()).await;
    world.rng.sleep(if world.rng.fault_one_in(20) { 0..=3_000 } else { 0..=40 }).await;
    if world.rng.fault_one_in(15) || !network.is_online() || process.gone.is_cancelled() {
        world.trace.count("answer lost");
        return Err(RequestError::NoAnswer);
    }
    handled.ok().and_then(|joined| joined.expect("no request panics")).ok_or(RequestError::NoAnswer)?
}

/// Sends `GET /api/me` for the connection, and returns its input.
pub async fn me(reader: &Arc<Reader>) -> Input {
    let world = reader.world().clone();
    let visitor = reader.visitor();
    let answer = send(reader, move |process| {
        let is_signed_in = world.accounts.is_signed_in(&visitor.identity.id, visitor.sign_in);
        async move { if process.is_draining() { Err(RequestError::Unavailable) } else { Ok(is_signed_in) } }
    });
    match answer.await {
        Ok(true) => Input::SignedIn,
        Ok(false) => Input::SignedOut,
        Err(RequestError::Unavailable) => Input::RetryAfter(500),
        Err(_) => Input::NoAnswer,
    }
}

/// Sends `GET …/events`. If `waits` is true, the node waits for the next event.
pub async fn page(
    reader: &Arc<Reader>,
    topic: &Topic,
    pull: &Pull,
    waits: bool,
) -> Result<EventPage, RequestError> {
    send(reader, |process| {
        let began = now();
        let handler = PullHandler {
            process,
            world: reader.world().clone(),
            visitor: reader.visitor(),
            topic: topic.clone(),
            pull: pull.clone(),
        };
        async move {
            let user = &handler.visitor.identity.id;
            let world = &handler.world;
            if !world.accounts.is_signed_in(user, handler.visitor.sign_in) {
                return Err(RequestError::SignedOut);
            }
            let page = match &handler.pull.after {
                Some(after) if waits => handler.wait(after.seq).await?,
                _ => handler.read().await?,
            };
            for event in &page.events {
                if world.accounts.was_denied(user, &handler.topic, began.max(event.at), now()) {
                    let node = &handler.process.name;
                    let details = format!("{user} got {} {} from {node}", event.topic, event.seq);
                    world.trace.violation("nobody pulls an event that they may not read", details);
                }
            }
            Ok(page)
        }
    })
    .await
}

/// A node's handler of one pull: `http/api/events` without the headers.
struct PullHandler {
    process: Arc<Process>,
    world: Arc<World>,
    visitor: Visitor,
    topic: Topic,
    pull: Pull,
}

impl PullHandler {
    async fn read(&self) -> Result<EventPage, RequestError> {
        let range = Range::of(self.pull.clone(), self.world.sizes.page_events_max);
        let node = &self.process.node;
        let page = node.page_for(&self.visitor.identity, &self.topic, range, self.pull.heard).await;
        page.map_err(|error| match error {
            ReadError::Refused(_) => RequestError::Forbidden,
            ReadError::Log(_) => RequestError::Unavailable,
        })
    }

    async fn wait(&self, after: Seq) -> Result<EventPage, RequestError> {
        let deadline = Instant::now() + WAIT;
        let Visitor { identity, sign_in, .. } = self.visitor.clone();
        let ticket = self.world.sequencer.ticket();
        let mut waiter = Waiter::begin(&self.process.node, self.visitor.clone(), self.topic.clone());
        if self.process.recheck_visitor(&self.world, &identity.id, sign_in).is_some() {
            return Err(RequestError::Unavailable);
        }
        loop {
            let moved = timeout_at(deadline, waiter.moved()).await;
            match moved {
                Ok(Ok(())) => self.world.sequencer.wait_for_turn(ticket).await,
                Ok(Err(_)) => return Err(RequestError::Unavailable),
                Err(_) => {}
            }
            let page = self.read().await?;
            if moved.is_err() || !page.events.is_empty() || page.head < after {
                return Ok(page);
            }
        }
    }
}

/// Sends the `POST` request of a feature that publishes.
pub async fn publish(
    reader: &Arc<Reader>,
    topic: &Topic,
    key: &Key,
    text: &str,
) -> Result<Ack, RequestError> {
    send(reader, |process| {
        let world = reader.world().clone();
        let visitor = reader.visitor();
        let topic = topic.clone();
        let key = key.clone();
        let payload = Payload::of(&text).expect("text is JSON");
        async move {
            if !world.accounts.is_signed_in(&visitor.identity.id, visitor.sign_in) {
                return Err(RequestError::SignedOut);
            }
            match process.node.publish(topic.clone(), visitor.identity, key, payload).await {
                Ok(appended) => Ok(Ack { topic, epoch: appended.epoch, seq: appended.event.seq }),
                Err(PublishError::Append(AppendError::KeyReused)) => Err(RequestError::KeyReused),
                Err(_) => Err(RequestError::Unavailable),
            }
        }
    })
    .await
}
