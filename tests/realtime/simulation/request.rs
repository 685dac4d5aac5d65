//! A request and its answer, each of which can be lost, late or doubled. Whoever gives up changes nothing at the
//! node.

use std::sync::Arc;
use std::time::Duration;

use realtime::{AppendError, PublishError, Range, ReadError, Visitor, Waiter};
use shared::{Ack, EventPage, Input, Key, Payload, Pull, Seq, Topic};
use tokio::time::{Instant, timeout, timeout_at};

use super::process::Process;
use super::reader::Reader;
use super::trace::now;
use super::world::World;

/// How long a reader's pull waits at the node for what comes next.
const WAIT: Duration = Duration::from_secs(10);
/// No answer after this long: the attempt has failed.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// Why there is no good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// None came.
    NoAnswer,
    /// Not now.
    Unavailable,
    /// Who is asking?
    SignedOut,
    /// May not.
    Forbidden,
    /// The key stands for something else.
    KeyReused,
}

/// Sends `work` to a node and waits for what it answers.
async fn ask<T, W>(reader: &Arc<Reader>, work: impl Fn(Arc<Process>) -> W) -> Result<T, Refusal>
where
    T: Send + 'static,
    W: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    let (world, network) = (reader.world(), &reader.network);
    world.chance.pause(0..=40).await;
    let process = network.is_online().then(|| world.reach()).flatten().ok_or(Refusal::NoAnswer)?;
    if world.chance.strikes(20) {
        world.trace.count("request lost");
        world.chance.pause(0..=3_000).await;
        return Err(Refusal::NoAnswer);
    }
    let handle = || {
        let (working, gone) = (work(process.clone()), process.gone.clone());
        tokio::spawn(async move { gone.run_until_cancelled(working).await })
    };
    if world.chance.strikes(25) {
        world.trace.count("request doubled");
        handle();
    }
    let handled = timeout(ANSWER_MAX, handle()).await;
    world.chance.pause(if world.chance.strikes(20) { 0..=3_000 } else { 0..=40 }).await;
    if world.chance.strikes(15) || !network.is_online() || process.gone.is_cancelled() {
        world.trace.count("answer lost");
        return Err(Refusal::NoAnswer);
    }
    handled.ok().and_then(|joined| joined.expect("no request panics")).ok_or(Refusal::NoAnswer)?
}

/// `GET /api/me`, as the connection asks it.
pub async fn me(reader: &Arc<Reader>) -> Input {
    let (world, visitor) = (reader.world().clone(), reader.visitor());
    let answer = ask(reader, move |process| {
        let known = world.people.knows(&visitor.identity.id, visitor.sign_in);
        async move { if process.is_draining() { Err(Refusal::Unavailable) } else { Ok(known) } }
    });
    match answer.await {
        Ok(true) => Input::SignedIn,
        Ok(false) => Input::SignedOut,
        Err(Refusal::Unavailable) => Input::RetryAfter(500),
        Err(_) => Input::NoAnswer,
    }
}

/// `GET …/events`, which waits for what comes next where `waits` says so.
pub async fn page(
    reader: &Arc<Reader>,
    topic: &Topic,
    pull: &Pull,
    waits: bool,
) -> Result<EventPage, Refusal> {
    ask(reader, |process| {
        let (world, visitor, began) = (reader.world().clone(), reader.visitor(), now());
        let asked = Asked { process, world, visitor, topic: topic.clone(), pull: pull.clone() };
        async move {
            let who = &asked.visitor.identity.id;
            if !asked.world.people.knows(who, asked.visitor.sign_in) {
                return Err(Refusal::SignedOut);
            }
            let page = match &asked.pull.after {
                Some(after) if waits => asked.wait(after.seq).await?,
                _ => asked.read().await?,
            };
            for event in &page.events {
                if asked.world.people.was_denied(who, &asked.topic, began.max(event.at), now()) {
                    let how = format!("{who} asked {} for {} {}", asked.process.name, event.topic, event.seq);
                    asked.world.trace.broken("nobody is answered what they may not read", how);
                }
            }
            Ok(page)
        }
    })
    .await
}

/// What is asked of a node, as its edge sees it: `http/events` without the headers.
struct Asked {
    process: Arc<Process>,
    world: Arc<World>,
    visitor: Visitor,
    topic: Topic,
    pull: Pull,
}

impl Asked {
    async fn read(&self) -> Result<EventPage, Refusal> {
        let (node, range) =
            (&self.process.node, Range::of(self.pull.clone(), self.world.shape.page_events_max));
        let page = node.page_for(&self.visitor.identity, &self.topic, range, self.pull.heard).await;
        page.map_err(|error| match error {
            ReadError::Refused(_) => Refusal::Forbidden,
            ReadError::Log(_) => Refusal::Unavailable,
        })
    }

    async fn wait(&self, after: Seq) -> Result<EventPage, Refusal> {
        let until = Instant::now() + WAIT;
        let Visitor { identity, sign_in, .. } = self.visitor.clone();
        let place = self.world.turnstile.place();
        let mut watch = Waiter::begin(&self.process.node, self.visitor.clone(), self.topic.clone());
        if self.process.recheck_visitor(&self.world, &identity.id, sign_in).is_some() {
            return Err(Refusal::Unavailable);
        }
        loop {
            let moved = timeout_at(until, watch.moved()).await;
            match moved {
                Ok(Ok(())) => self.world.turnstile.pass(place).await,
                Ok(Err(_)) => return Err(Refusal::Unavailable),
                Err(_) => {}
            }
            let page = self.read().await?;
            if moved.is_err() || !page.events.is_empty() || page.head < after {
                return Ok(page);
            }
        }
    }
}

/// A feature's POST.
pub async fn publish(reader: &Arc<Reader>, topic: &Topic, key: &Key, text: &str) -> Result<Ack, Refusal> {
    ask(reader, |process| {
        let (world, visitor) = (reader.world().clone(), reader.visitor());
        let (topic, key) = (topic.clone(), key.clone());
        let payload = Payload::of(&text).expect("text is JSON");
        async move {
            if !world.people.knows(&visitor.identity.id, visitor.sign_in) {
                return Err(Refusal::SignedOut);
            }
            match process.node.publish(topic.clone(), visitor.identity, key, payload).await {
                Ok(appended) => Ok(Ack { topic, epoch: appended.epoch, seq: appended.event.seq }),
                Err(PublishError::Append(AppendError::KeyReused)) => Err(Refusal::KeyReused),
                Err(_) => Err(Refusal::Unavailable),
            }
        }
    })
    .await
}
