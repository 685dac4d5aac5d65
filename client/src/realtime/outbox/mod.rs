//! `Outbox`: the posts written in this browser whose events have not come back yet.
//!
//! A post keeps its key through every attempt, so that retries never double it, not even from two tabs. The browser
//! stores it before the first attempt and until its ack, so that a reload or a crash loses nothing. The posts of one
//! topic are sent one after the other, in the order of writing. Nothing is sent while the node is out of reach. Every
//! tab shows the posts of all tabs; a post of another tab is left to that tab for a moment.

mod pending_post;
pub use pending_post::{PendingPost, SendState};

mod pending_posts;
pub(super) use pending_posts::PendingPosts;

mod store;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use shared::{Ack, Backoff, ErrorCode, Event, Key, Millis, Payload, Position, Problem, Topic, UserId};

use super::socket::Socket;
use crate::{browser, http};

/// The most posts without an ack; further ones are refused.
const UNSENT_MAX: usize = 100;
/// The time for which a post of another tab is left to that tab, which may be sending it.
const HOLD_OFF_MS: Millis = 2_000;
/// The interval of checks for whether the other tab has sent it.
const HOLD_OFF_CHECK_MS: Millis = 200;

/// Failed attempts while the node is reachable, after which the user decides.
const TRIES_MAX: u32 = 5;
/// The longest pause between two attempts.
const PAUSE_MS_MAX: u64 = 10_000;

/// The pending posts of the user who is signed in.
pub(super) struct Outbox {
    pub(super) posts: ArcRwSignal<PendingPosts>,
    /// True once a post waited that the browser refused to store.
    pub(super) has_unstored: ArcRwSignal<bool>,
    socket: Rc<Socket>,
    /// Topics whose posts are being sent.
    sending: RefCell<Vec<Topic>>,
    owner: RefCell<Option<UserId>>,
    /// Bumped whenever the outbox is closed. An answer to a request of an earlier generation is ignored.
    ///
    /// Example: Ada's post is in flight in generation 1. She signs out, Eve signs in, and the outbox is at 2: the
    /// answer to Ada's post does not touch Eve's.
    generation: Cell<u64>,
}

impl Outbox {
    /// Creates a closed outbox. `on_owner_changed` is called whenever another tab reports that somebody else is signed
    /// in, or nobody.
    pub(super) fn new(socket: Rc<Socket>, on_owner_changed: impl Fn() + 'static) -> Rc<Outbox> {
        let outbox = Rc::new(Outbox {
            posts: ArcRwSignal::default(),
            has_unstored: ArcRwSignal::default(),
            socket,
            sending: RefCell::default(),
            owner: RefCell::default(),
            generation: Cell::new(0),
        });
        let listener = outbox.clone();
        store::on_change(move || listener.sync(), on_owner_changed);
        outbox
    }

    /// Opens the outbox for a user, with the posts that an earlier visit left in storage.
    pub(super) fn open_for(self: &Rc<Self>, owner: UserId) {
        if self.owner.borrow().as_ref() == Some(&owner) {
            return;
        }
        self.close();
        // The sign-ins of all others have ended: nobody could ever send their posts.
        store::remove_where(|post| post.author != owner);
        store::set_owner(Some(&owner));
        self.owner.replace(Some(owner));
        // No other tab can be sending what an earlier visit left.
        self.sync_holding_off(0);
    }

    /// Closes the outbox. Stored posts stay in storage, and nobody else sees them.
    pub(super) fn close(&self) {
        self.owner.take();
        self.sending.take();
        self.generation.set(self.generation.get() + 1);
        self.posts.set(PendingPosts::default());
    }

    /// Discards all posts of the user for good, and closes the outbox.
    pub(super) fn discard_all(&self) {
        if let Some(owner) = self.owner.borrow().as_ref() {
            store::remove_where(|post| post.author == *owner);
        }
        store::set_owner(None);
        self.close();
    }

    /// Merges the posts that other tabs have stored, and sends what waits.
    pub(super) fn sync(self: &Rc<Self>) {
        self.sync_holding_off(HOLD_OFF_MS);
    }

    fn sync_holding_off(self: &Rc<Self>, hold_off_ms: Millis) {
        let Some(owner) = self.owner.borrow().clone() else { return };
        self.store_again_after_clearing(&owner);
        let stored = store::read(&owner);
        self.posts.update(|posts| posts.merge_stored(stored, browser::now_ms(), hold_off_ms));
        for topic in self.posts.with_untracked(PendingPosts::queued_topics) {
            self.send_queued(&topic);
        }
    }

    /// Stores everything again if the user cleared the browser's storage under an open tab. A post that is missing from
    /// storage counts as settled by another tab only while the rest is still there.
    fn store_again_after_clearing(&self, owner: &UserId) {
        if !store::is_cleared() {
            return;
        }
        store::set_owner(Some(owner));
        self.posts.try_update(|posts| posts.store_again(store::write));
    }

    /// Accepts a post and sends it as soon as it can. Fails if too many wait already.
    pub(super) fn publish(
        self: &Rc<Self>,
        topic: &Topic,
        url: String,
        body: &impl Serialize,
    ) -> Result<Key, Problem> {
        let Some(author) = self.owner.borrow().clone() else {
            return Err(Problem::new(ErrorCode::Unauthenticated, "Nobody is signed in."));
        };
        if self.posts.with_untracked(PendingPosts::unsent) >= UNSENT_MAX {
            let detail = format!("{UNSENT_MAX} messages are waiting already. Wait until some are sent.");
            return Err(Problem::new(ErrorCode::TooMany, detail));
        }
        let body = Payload::of(body).map_err(|error| Problem::new(ErrorCode::Invalid, error.to_string()))?;
        let key = browser::new_key();
        let post = PendingPost {
            author,
            topic: topic.clone(),
            key: key.clone(),
            url,
            body,
            at: self.posts.with_untracked(|posts| posts.next_at(browser::node_ms())),
            state: SendState::Queued,
        };
        let is_stored = store::write(&post);
        self.posts.update(|posts| posts.add(post, is_stored));
        if !self.socket.is_reachable() {
            self.note_unless_stored(&key);
        }
        self.send_queued(topic);
        Ok(key)
    }

    /// Sends a failed or held post again, under the same key. A held one counts as written now, so it is sent after
    /// the posts written since.
    pub(super) fn retry(self: &Rc<Self>, topic: &Topic, key: &Key) {
        let now = browser::node_ms();
        self.posts.try_update(|posts| posts.requeue_held(key, now));
        self.set_state(key, SendState::Queued);
        self.send_queued(topic);
    }

    /// Discards a post and returns it, or `None` if it is gone already.
    pub(super) fn discard(&self, key: &Key) -> Option<PendingPost> {
        store::remove(key);
        self.posts.try_update(|posts| posts.remove(key)).flatten()
    }

    /// Removes the posts whose events a reader of the topic has applied: `events`, and everything up to `position`.
    pub(super) fn settle(&self, topic: &Topic, events: &[Event], position: &Position) {
        for key in self.posts.with_untracked(|posts| posts.settled(topic, events, position)) {
            self.discard(&key);
        }
    }

    /// Sends the queued posts of a topic one after the other, unless that is in progress.
    fn send_queued(self: &Rc<Self>, topic: &Topic) {
        if self.sending.borrow().contains(topic) {
            return;
        }
        self.sending.borrow_mut().push(topic.clone());
        let outbox = self.clone();
        let topic = topic.clone();
        let generation = self.generation.get();
        spawn_local(async move {
            while let Some(post) = outbox.posts.with_untracked(|posts| posts.next_queued(&topic)) {
                let answer = outbox.send(&post).await;
                if outbox.generation.get() != generation {
                    return;
                }
                match answer {
                    Some(Ok(ack)) => {
                        let position = Position { epoch: ack.epoch.clone(), seq: ack.seq };
                        outbox.set_state(&post.key, SendState::Acked(position));
                        outbox.socket.deliver_ack(ack);
                    }
                    // The post stays queued: its author may sign in again.
                    Some(Err(problem)) if problem.code == ErrorCode::Unauthenticated => break,
                    Some(Err(problem)) => outbox.set_state(&post.key, SendState::Failed(problem)),
                    None => {}
                }
            }
            outbox.sending.borrow_mut().retain(|sending| *sending != topic);
        });
    }

    /// Posts until the node gives a final answer. Only attempts that fail while the node is reachable are counted.
    ///
    /// Returns `None` if the post need not be sent any more: its event came though the answer was lost, or another tab
    /// has sent it.
    async fn send(&self, post: &PendingPost) -> Option<Result<Ack, Problem>> {
        let mut backoff = Backoff::default();
        let mut tries = 0;
        loop {
            self.wait_for_turn(&post.key).await?;
            if store::is_owned_by_another(&post.author) {
                return Some(Err(Problem::new(ErrorCode::Unauthenticated, "Somebody else is signed in.")));
            }
            let problem = match http::post_json(&post.url, &post.body, Some(&post.key)).await {
                Err(problem) if problem.code.is_temporary() => problem,
                answer => return Some(answer),
            };
            self.note_unless_stored(&post.key);
            let pause = problem.retry_after_ms.unwrap_or_else(|| backoff.next_ms(js_sys::Math::random()));
            browser::sleep(pause.min(PAUSE_MS_MAX)).await;
            tries = match self.socket.is_reachable() {
                true if problem.code == ErrorCode::TooMany => tries,
                true => tries + 1,
                false => 0,
            };
            if tries == TRIES_MAX {
                return Some(Err(problem));
            }
        }
    }

    /// Waits until the node is reachable and no other tab is sending the post. `None` if it need not be sent any more.
    async fn wait_for_turn(&self, key: &Key) -> Option<()> {
        loop {
            self.socket.wait_until_reachable().await;
            if let Some(owner) = self.owner.borrow().as_ref() {
                self.store_again_after_clearing(owner);
            }
            let hold_off = self.posts.with_untracked(|posts| posts.hold_off_ms(key, browser::now_ms()))?;
            let is_stored = self.posts.with_untracked(|posts| posts.is_stored(key));
            if is_stored && !store::contains(key) {
                self.posts.try_update(|posts| posts.remove(key));
                return None;
            }
            if hold_off == 0 {
                return Some(());
            }
            browser::sleep(hold_off.min(HOLD_OFF_CHECK_MS) as u64).await;
        }
    }

    fn set_state(&self, key: &Key, state: SendState) {
        let is_acked = matches!(state, SendState::Acked(_));
        let post = self.posts.try_update(|posts| posts.set_state(key, state)).flatten();
        match post {
            // The event log has it.
            Some(_) if is_acked => store::remove(key),
            // A post that another tab has settled must not be stored again.
            Some(post) if store::contains(key) => drop(store::write(&post)),
            _ => {}
        }
    }

    fn note_unless_stored(&self, key: &Key) {
        if !self.posts.with_untracked(|posts| posts.is_stored(key)) {
            self.has_unstored.set(true);
        }
    }
}
