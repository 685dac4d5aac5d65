//! `TopicReader`: one feature's end of one topic, and [`use_topic`], all that a feature needs of this folder.
//!
//! A shared [`Feed`](shared::Feed) decides what is applied and when to pull; `state` keeps what comes of it, and
//! `reader` takes its steps in the browser. The first page, a gap, a reconnect and a return from sleep are the same
//! path.

mod reader;
mod state;

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use shared::{
    Event, EventPage, Feed, Identity, Key, Listed, Payload, Problem, Seq, Status, Topic, TopicKind,
};

use self::reader::Reader;
use super::pull::pull_before;
use super::{Members, PendingPost, Projection, use_realtime};

/// How the reading goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadState {
    /// The first page is on its way.
    Loading,
    /// What is shown is what is known.
    Ready,
    /// Something is missing and could not be had; [`TopicReader::pull_again`] tries once more.
    Failed(Problem),
}

/// One topic as a feature sees it. Cheap to copy; it ends with the component that asked for it.
pub struct TopicReader<P: Projection> {
    /// What the events amount to.
    pub projection: ReadSignal<P>,
    /// How the reading goes.
    pub load_state: ReadSignal<LoadState>,
    /// What was posted there from this browser and has not come back as an event yet, oldest first.
    pub pending_posts: Memo<Vec<PendingPost>>,
    /// Whether there are events before the oldest one here.
    pub has_older: Memo<bool>,
    /// Who is there, this page included; nobody while it is not connected.
    pub members: ReadSignal<Members>,
    reader: StoredValue<Rc<Reader<P>>, LocalStorage>,
}

impl<P: Projection> Clone for TopicReader<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Projection> Copy for TopicReader<P> {}

/// Events that are older than those of a reader, not yet applied.
pub struct OlderPage(EventPage);

/// Reads `topic` for as long as the calling component lives, and shows up in its presence.
pub fn use_topic<P: Projection>(topic: Topic) -> TopicReader<P> {
    let core = use_realtime().core();
    let (all_posts, of) = (core.outbox.posts(), topic.clone());
    let reader = Reader::<P>::new(topic.clone(), core.clone());
    reader.take(Feed::resume);
    let hearing = reader.clone();
    let id = core.socket.listen(&topic, Listed::Yes, move |arrival| hearing.hear(arrival));
    follow_status(&reader);
    let oldest = reader.state.oldest.clone();
    let posts = move || all_posts.with(|all| all.iter().filter(|post| post.topic == of).cloned().collect());
    let handle = TopicReader {
        projection: reader.state.projection.read_only().into(),
        load_state: reader.state.load_state.read_only().into(),
        pending_posts: Memo::new(move |_| posts()),
        has_older: Memo::new(move |_| oldest.get() > Seq(1)),
        members: reader.members.read_only().into(),
        reader: StoredValue::new_local(reader),
    };
    let ending = StoredValue::new_local((handle.reader.get_value(), core.socket));
    on_cleanup(move || {
        if let Some((reader, socket)) = ending.try_get_value() {
            reader.end();
            socket.unlisten(&topic, id);
        }
    });
    handle
}

/// Reads by long poll while no socket comes through, and believes in nobody's presence while none is open.
fn follow_status<P: Projection>(reader: &Rc<Reader<P>>) {
    let (status, kept) = (reader.core.socket.status(), StoredValue::new_local(reader.clone()));
    let follow = move || {
        let (status, Some(reader)) = (status.get(), kept.try_get_value()) else { return };
        if status != Status::Connected {
            reader.members.set(Members::default());
            reader.state.admitted();
        }
        match status {
            Status::Polling => spawn_local(reader.poll()),
            _ => reader.stop_waiting(),
        }
    };
    Effect::new(Box::new(follow) as Box<dyn Fn()>);
}

impl<P: Projection> TopicReader<P> {
    /// Publishes: posts `body` to `url` until it is settled, whatever the connection does, and also after a
    /// reload. The post is in [`TopicReader::pending_posts`] from now until its event has arrived.
    pub fn publish(self, url: String, body: &impl Serialize) -> Result<Key, Problem> {
        let reader = self.reader.get_value();
        reader.core.outbox.publish(&reader.topic, url, body)
    }

    /// Sends a failed post once more.
    pub fn retry(self, key: &Key) {
        let reader = self.reader.get_value();
        reader.core.outbox.retry(&reader.topic, key);
    }

    /// Drops a failed post, and gives it back if it was there.
    pub fn discard(self, key: &Key) -> Option<PendingPost> {
        self.reader.get_value().core.outbox.discard(key)
    }

    /// Says something in passing to the others who are there. It may be lost.
    pub fn signal(self, signal: &<P::Kind as TopicKind>::Signal) {
        let Some(reader) = self.reader.try_get_value() else { return };
        if let Ok(payload) = Payload::of(signal) {
            reader.core.socket.signal(&reader.topic, payload);
        }
    }

    /// Calls `hear` with what others say in passing, and with who says it; another tab of one's own is another.
    pub fn on_signal(self, hear: impl Fn(Identity, <P::Kind as TopicKind>::Signal) + 'static) {
        self.reader.get_value().hear_signal.replace(Some(Box::new(hear)));
    }

    /// Tries once more to get what is missing.
    pub fn pull_again(self) {
        let reader = self.reader.get_value();
        reader.state.retry();
        // Where the node had refused it, it is asked again, and answers either way.
        reader.core.socket.listen_again(&reader.topic);
        if !reader.take(Feed::resume) && !reader.core.socket.is_connected() {
            spawn_local(reader.poll());
        }
    }

    /// Gets the page before the oldest event here. Nothing when there is none, or when it no longer fits.
    /// Hand it to [`TopicReader::apply_older`] once the screen is ready for it.
    pub async fn pull_older(self) -> Result<Option<OlderPage>, Problem> {
        let Some(reader) = self.reader.try_get_value() else { return Ok(None) };
        let (oldest, Some(at)) = (reader.oldest(), reader.state.position()) else {
            return Ok(None);
        };
        if oldest <= Seq(1) {
            return Ok(None);
        }
        let page = pull_before(&reader.topic, oldest, &at.epoch).await?;
        if page.epoch != at.epoch {
            reader.take(|feed| feed.on_head(&page.epoch, page.head));
            return Ok(None);
        }
        Ok((!reader.is_over()).then_some(OlderPage(page)))
    }

    /// Gets the page before the oldest event here and puts it in front at once. For a screen that need not prepare for
    /// it; [`TopicReader::has_older`] tells when there is nothing left to get.
    pub async fn load_older(self) -> Result<(), Problem> {
        if let Some(page) = self.pull_older().await? {
            self.apply_older(page);
        }
        Ok(())
    }

    /// Puts a page in front of what is there, where it still fits.
    pub fn apply_older(self, OlderPage(page): OlderPage) {
        let Some(reader) = self.reader.try_get_value() else { return };
        let oldest = reader.oldest();
        let fits = page.events.last().is_some_and(|event| event.seq.next() == oldest);
        let Some(first) = page.events.first().filter(|_| fits) else { return };
        reader.state.oldest.set(first.seq);
        reader.state.projection.update(|projection| {
            for event in page.events.iter().rev() {
                if let Some(payload) = decode::<P>(event) {
                    projection.apply_older(event, payload);
                }
            }
        });
    }

    /// Lets go of what is older than `seq`: it can be had again with [`TopicReader::pull_older`].
    pub fn forget_before(self, seq: Seq) {
        let Some(reader) = self.reader.try_get_value() else { return };
        if reader.oldest() < seq {
            reader.state.oldest.set(seq);
            reader.state.projection.update(|projection| projection.forget_before(seq));
        }
    }
}

/// Reads an event as its topic's kind says. One that this page is too old to understand is left out.
fn decode<P: Projection>(event: &Event) -> Option<<P::Kind as TopicKind>::Event> {
    let read = event.payload.read();
    if let Err(error) = &read {
        let told = format!("{} {} was not understood: {error}", event.topic, event.seq);
        web_sys::console::warn_1(&told.into());
    }
    read.ok()
}
