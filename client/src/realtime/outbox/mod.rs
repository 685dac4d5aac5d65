//! `Outbox`: what was written in this browser and has not come back as an event yet.
//!
//! A post keeps its key through every attempt, so trying again can never double it, not even from two tabs. It is
//! kept by the browser before the first attempt and until its ack, so a reload or a crash loses nothing. Each
//! topic's posts go out one after the other, in the order of writing. While the node is away nothing is tried.
//! Every tab shows what all tabs wrote; what another one wrote is left to that one for a moment.

mod pending_post;
mod pending_posts;
mod sending;
mod store;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use serde::Serialize;
use shared::{ErrorCode, Event, Key, Millis, Payload, Position, Problem, Topic, UserId};

use self::pending_posts::PendingPosts;
use self::store::Change;
use super::socket::Socket;
use crate::browser;

pub use pending_post::{PendingPost, SendState};

/// More posts than this do not wait.
const POSTS_MAX: usize = 100;
/// So long a post of another tab is left to that tab, which may be sending it just now.
const LEFT_MS: Millis = 2_000;

/// All posts of the person who is signed in.
pub(super) struct Outbox {
    posts: ArcRwSignal<PendingPosts>,
    socket: Rc<Socket>,
    busy: RefCell<Vec<Topic>>,
    me: RefCell<Option<UserId>>,
    /// Which sign-in the posts belong to: an answer from an older one concerns nobody.
    generation: Cell<u64>,
    on_unkept: Cell<Option<Box<dyn Fn()>>>,
}

impl Outbox {
    /// Empty. `on_unkept` is called once if a post waits that the browser would not keep; `on_owner_changed`
    /// whenever another tab says that somebody else is signed in, or nobody.
    pub(super) fn new(
        socket: Rc<Socket>,
        on_unkept: impl Fn() + 'static,
        on_owner_changed: impl Fn() + 'static,
    ) -> Rc<Outbox> {
        let (posts, busy, me) = (ArcRwSignal::default(), RefCell::default(), RefCell::default());
        let (generation, on_unkept) = (Cell::new(0), Cell::new(Some(Box::new(on_unkept) as Box<dyn Fn()>)));
        let outbox = Rc::new(Outbox { posts, socket, busy, me, generation, on_unkept });
        let looking = outbox.clone();
        store::on_change(move |change| match change {
            Change::Posts => looking.look_again(),
            Change::Owner => on_owner_changed(),
        });
        outbox
    }

    /// Holds the posts of this person from now on, those included that an earlier page left behind.
    pub(super) fn open_for(self: &Rc<Self>, me: UserId) {
        if self.me.borrow().as_ref() == Some(&me) {
            return;
        }
        self.clear();
        store::forget_others(&me);
        store::set_owner(Some(&me));
        self.me.replace(Some(me));
        self.look(0);
    }

    /// Holds nobody's posts any more. What is kept stays kept, for nobody else to see.
    pub(super) fn clear(&self) {
        self.me.take();
        self.busy.take();
        self.generation.set(self.generation.get() + 1);
        self.posts.set(PendingPosts::default());
    }

    /// Forgets what this person has not sent, for good.
    pub(super) fn forget(&self) {
        self.me.borrow().iter().for_each(store::forget);
        store::set_owner(None);
        self.clear();
    }

    /// What is there.
    pub(super) fn posts(&self) -> ArcRwSignal<PendingPosts> {
        self.posts.clone()
    }

    /// How many posts have no ack. Tracked.
    pub(super) fn unsent(&self) -> usize {
        self.posts.with(PendingPosts::unsent)
    }

    /// Takes in what other tabs have left meanwhile.
    pub(super) fn look_again(self: &Rc<Self>) {
        self.look(LEFT_MS);
    }

    fn look(self: &Rc<Self>, left_ms: Millis) {
        let Some(me) = self.me.borrow().clone() else { return };
        self.keep_what_was_cleared(&me);
        let kept = store::read(&me);
        self.posts.update(|posts| posts.take_kept(kept, browser::now_ms(), left_ms));
        let topics = self.posts.with_untracked(PendingPosts::queued_topics);
        topics.iter().for_each(|topic| self.send_waiting(topic));
    }

    /// Keeps everything anew when the browser's storage was cleared under an open page. A post that is missing there was
    /// settled in another tab only when the rest is still there.
    fn keep_what_was_cleared(&self, me: &UserId) {
        if !store::is_cleared() {
            return;
        }
        store::set_owner(Some(me));
        self.posts.try_update(|posts| posts.keep_anew(store::write));
    }

    /// Takes a post and sends it as soon as it can. Fails when too many wait already.
    pub(super) fn publish(
        self: &Rc<Self>,
        topic: &Topic,
        url: String,
        body: &impl Serialize,
    ) -> Result<Key, Problem> {
        let refuse = |code, detail: String| Err(Problem::new(code, detail));
        let Some(author) = self.me.borrow().clone() else {
            return refuse(ErrorCode::Unauthenticated, "Nobody is signed in.".into());
        };
        if self.posts.with_untracked(PendingPosts::unsent) >= POSTS_MAX {
            let detail = format!("{POSTS_MAX} messages are waiting already. Wait until some are sent.");
            return refuse(ErrorCode::TooMany, detail);
        }
        let body = match Payload::of(body) {
            Ok(body) => body,
            Err(error) => return refuse(ErrorCode::Invalid, error.to_string()),
        };
        let at = self.posts.with_untracked(|posts| posts.next_at(browser::node_ms()));
        let (key, state) = (browser::new_key(), SendState::Queued);
        let post = PendingPost { author, topic: topic.clone(), key: key.clone(), url, body, at, state };
        let is_kept = store::write(&post);
        self.posts.update(|posts| posts.add(post, is_kept));
        if !self.socket.is_reachable() {
            self.warn_unless_kept(&key);
        }
        self.send_waiting(topic);
        Ok(key)
    }

    /// Sends a post that failed or was held, under the same key. One that was held counts as written now, and so goes
    /// out after what was written since.
    pub(super) fn retry(self: &Rc<Self>, topic: &Topic, key: &Key) {
        let now = browser::node_ms();
        self.posts.try_update(|posts| posts.renew_held(key, now));
        self.set_state(key, SendState::Queued);
        self.send_waiting(topic);
    }

    /// Drops a post that failed or was held.
    pub(super) fn discard(&self, key: &Key) -> Option<PendingPost> {
        store::remove(key);
        self.posts.try_update(|posts| posts.remove(key)).flatten()
    }

    /// A reader of the topic has these events, and everything up to `position`: what they settle is done.
    pub(super) fn settle(&self, topic: &Topic, events: &[Event], position: &Position) {
        let settled = self.posts.with_untracked(|posts| posts.settled(topic, events, position));
        settled.iter().for_each(|key| drop(self.discard(key)));
    }

    fn set_state(&self, key: &Key, state: SendState) {
        let is_done = matches!(state, SendState::Acked(_));
        let post = self.posts.try_update(|posts| posts.set_state(key, state)).flatten();
        match post {
            // The log has it.
            Some(_) if is_done => store::remove(key),
            // What another tab has settled meanwhile must not be kept anew.
            Some(post) if store::holds(key) => drop(store::write(&post)),
            _ => {}
        }
    }

    fn warn_unless_kept(&self, key: &Key) {
        if !self.posts.with_untracked(|posts| posts.is_kept(key)) {
            self.on_unkept.take().iter().for_each(|tell| tell());
        }
    }
}
