//! `TopicReader`: one feature's end of one topic, and [`use_topic`], which starts it.
//!
//! A shared [`Feed`](shared::Feed) decides which events are applied and when to pull. `state` holds the result, and
//! `driver` makes the requests in the browser. The first page, a gap, a reconnect and waking from sleep take the same
//! path.

mod state;
pub use state::LoadState;

mod driver;

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use shared::{
    EventPage, Feed, Identity, Key, Listed, PAGE_LIMIT_DEFAULT, Part, Payload, Problem, Seq, Status, Topic,
    TopicKind, endpoint,
};

use self::driver::TopicDriver;
use self::state::decode;
use super::context::use_realtime;
use super::members::Members;
use super::outbox::PendingPost;
use super::projection::Projection;
use crate::http;

/// A topic as a feature sees it. Cheap to copy; it ends with the component that called [`use_topic`].
pub struct TopicReader<P: Projection> {
    /// The state folded from the events.
    pub projection: ReadSignal<P>,
    /// The progress of reading.
    pub load_state: ReadSignal<LoadState>,
    /// Posts to this topic from this browser whose events have not come back yet, oldest first.
    pub pending_posts: Memo<Vec<PendingPost>>,
    /// True if the topic has events before the oldest one here.
    pub has_older: Memo<bool>,
    /// The members of the topic, this session included; none while it is not connected.
    pub members: ReadSignal<Members>,
    driver: StoredValue<Rc<TopicDriver<P>>, LocalStorage>,
}

impl<P: Projection> Clone for TopicReader<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Projection> Copy for TopicReader<P> {}

/// A page of events older than those of a reader, not applied yet.
pub struct OlderPage(EventPage);

/// Reads `topic` for as long as the calling component lives, and joins its presence.
pub fn use_topic<P: Projection>(topic: Topic) -> TopicReader<P> {
    let core = use_realtime().core();
    let driver = TopicDriver::<P>::new(topic.clone(), core.clone());
    driver.advance(Feed::resume);
    let listener = driver.clone();
    let listener_id =
        core.socket.add_listener(&topic, Listed::Yes, Rc::new(move |delivery| listener.receive(delivery)));
    follow_status(&driver);

    let all_posts = core.outbox.posts.clone();
    let pending_topic = topic.clone();
    let oldest = driver.state.oldest.clone();
    let reader = TopicReader {
        projection: driver.state.projection.read_only().into(),
        load_state: driver.state.load_state.read_only().into(),
        pending_posts: Memo::new(move |_| {
            all_posts.with(|posts| posts.iter().filter(|post| post.topic == pending_topic).cloned().collect())
        }),
        has_older: Memo::new(move |_| oldest.get() > Seq(1)),
        members: driver.members.read_only().into(),
        driver: StoredValue::new_local(driver),
    };
    on_cleanup(move || {
        if let Some(driver) = reader.driver.try_get_value() {
            driver.close();
            driver.core.socket.remove_listener(&topic, listener_id);
        }
    });
    reader
}

/// Polls while no socket gets through, and clears the members while the socket is not connected.
fn follow_status<P: Projection>(driver: &Rc<TopicDriver<P>>) {
    let status = driver.core.socket.status.clone();
    let driver = StoredValue::new_local(driver.clone());
    let follow = move || {
        let status = status.get();
        let Some(driver) = driver.try_get_value() else { return };
        if status != Status::Connected {
            driver.members.set(Members::default());
            driver.state.set_admitted();
        }
        match status {
            Status::Polling => spawn_local(driver.poll()),
            _ => driver.cancel_long_poll(),
        }
    };
    Effect::new(Box::new(follow) as Box<dyn Fn()>);
}

impl<P: Projection> TopicReader<P> {
    /// Publishes: posts `body` to `url` until the node accepts or refuses it, whatever the connection does, and also
    /// after a reload. The post is one of [`TopicReader::pending_posts`] until its event arrives.
    pub fn publish(self, url: String, body: &impl Serialize) -> Result<Key, Problem> {
        let driver = self.driver.get_value();
        driver.core.outbox.publish(&driver.topic, url, body)
    }

    /// Sends a failed post again.
    pub fn retry(self, key: &Key) {
        let driver = self.driver.get_value();
        driver.core.outbox.retry(&driver.topic, key);
    }

    /// Discards a failed post and returns it, or `None` if it is gone already.
    pub fn discard(self, key: &Key) -> Option<PendingPost> {
        self.driver.get_value().core.outbox.discard(key)
    }

    /// Sends a signal to the other members. It may be lost.
    pub fn signal(self, signal: &<P::Kind as TopicKind>::Signal) {
        let Some(driver) = self.driver.try_get_value() else { return };
        if let Ok(payload) = Payload::of(signal) {
            driver.core.socket.signal(&driver.topic, payload);
        }
    }

    /// Calls `on_signal` with every signal of another session and its sender, which may be the same user in another
    /// tab. Replaces an earlier callback.
    pub fn on_signal(self, on_signal: impl Fn(Identity, <P::Kind as TopicKind>::Signal) + 'static) {
        self.driver.get_value().on_signal.replace(Some(Box::new(on_signal)));
    }

    /// Tries again to get what is missing.
    pub fn pull_again(self) {
        let driver = self.driver.get_value();
        driver.state.retry();
        // A subscription that the node had refused is asked for again; the answer is a `head` or a refusal.
        driver.core.socket.resubscribe(&driver.topic);
        if !driver.advance(Feed::resume) && !driver.core.socket.is_connected() {
            spawn_local(driver.poll());
        }
    }

    /// Pulls the page before the oldest event here. `None` if there is none, or if it no longer fits.
    ///
    /// Pass it to [`TopicReader::apply_older`] once the view is ready for it.
    pub async fn pull_older(self) -> Result<Option<OlderPage>, Problem> {
        let Some(driver) = self.driver.try_get_value() else { return Ok(None) };
        let Some(position) = driver.state.position() else { return Ok(None) };
        let oldest = driver.oldest();
        if oldest <= Seq(1) {
            return Ok(None);
        }
        let part = Part::Before(oldest);
        let url = endpoint::events(&driver.topic, part, Some(&position.epoch), PAGE_LIMIT_DEFAULT);
        let page: EventPage = http::get_json(&url).await?;
        if page.epoch != position.epoch {
            driver.advance(|feed| feed.on_head(&page.epoch, page.head));
            return Ok(None);
        }
        Ok((!driver.is_closed.get()).then_some(OlderPage(page)))
    }

    /// Pulls the page before the oldest event here and applies it at once, for a view that need not prepare for it.
    /// Call it while [`TopicReader::has_older`] is true.
    pub async fn load_older(self) -> Result<(), Problem> {
        if let Some(page) = self.pull_older().await? {
            self.apply_older(page);
        }
        Ok(())
    }

    /// Applies an older page, unless events before its end have been applied or forgotten since it was pulled.
    pub fn apply_older(self, OlderPage(page): OlderPage) {
        let Some(driver) = self.driver.try_get_value() else { return };
        let oldest = driver.oldest();
        let fits = page.events.last().is_some_and(|event| event.seq.next() == oldest);
        let Some(first) = page.events.first().filter(|_| fits) else { return };
        driver.state.oldest.set(first.seq);
        driver.state.projection.update(|projection| {
            for event in page.events.iter().rev() {
                if let Some(payload) = decode::<P>(event) {
                    projection.apply_older(event, payload);
                }
            }
        });
    }

    /// Forgets the events before `seq`. [`TopicReader::pull_older`] gets them again.
    pub fn forget_before(self, seq: Seq) {
        let Some(driver) = self.driver.try_get_value() else { return };
        if driver.oldest() < seq {
            driver.state.oldest.set(seq);
            driver.state.projection.update(|projection| projection.forget_before(seq));
        }
    }
}
