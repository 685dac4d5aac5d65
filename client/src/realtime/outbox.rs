//! `Outbox`: what was written here and has not come back as an event yet.
//!
//! A post keeps its key through every attempt, so trying again can never double it. Each topic's posts go out
//! one after the other, in the order in which they were written. While the node is away nothing is tried: the
//! posts wait until it is back. They live in memory, and a reload forgets them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use shared::{Ack, Backoff, ErrorCode, Event, Key, Millis, Payload, Position, Problem, Seq, Topic, UserId};

use super::socket::Socket;
use crate::{browser, http};

/// How often a post is tried while the connection holds, before a person is asked.
const TRIES_MAX: u32 = 5;
/// The longest wait between two of these attempts.
const PAUSE_MS_MAX: u64 = 10_000;
/// More posts than this do not wait.
const POSTS_MAX: usize = 100;

/// One thing to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Where its event will appear.
    pub topic: Topic,
    /// Makes repeating it harmless, and tells which event it became.
    pub key: Key,
    /// Where it is posted.
    pub url: String,
    /// What is posted: the feature's own JSON.
    pub body: Payload,
    /// When it was written, by this machine's clock.
    pub at: Millis,
    /// How far it is.
    pub state: PostState,
}

/// How far a post is.
#[derive(Debug, Clone, PartialEq)]
pub enum PostState {
    /// On its way, or waiting for the connection.
    Pending,
    /// Durable; its event is about to appear.
    Acked(Seq),
    /// Refused, or tried too often: a person decides.
    Failed(Problem),
}

/// All posts of this page.
pub(super) struct Outbox {
    posts: ArcRwSignal<Vec<Post>>,
    socket: Rc<Socket>,
    busy: RefCell<Vec<Topic>>,
    me: RefCell<Option<UserId>>,
    /// Which sign-in the posts belong to: an answer from an older one concerns nobody.
    life: Cell<u64>,
}

impl Outbox {
    /// Empty.
    pub(super) fn new(socket: Rc<Socket>) -> Rc<Outbox> {
        let (posts, busy, me) = (ArcRwSignal::default(), RefCell::default(), RefCell::default());
        Rc::new(Outbox { posts, socket, busy, me, life: Cell::new(0) })
    }

    /// Holds the posts of this person from now on.
    pub(super) fn open_for(&self, me: UserId) {
        if self.me.borrow().as_ref().is_some_and(|known| *known != me) {
            self.clear();
        }
        self.me.replace(Some(me));
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.me.take();
        self.busy.take();
        self.life.set(self.life.get() + 1);
        self.posts.update(Vec::clear);
    }

    /// What is there, oldest first.
    pub(super) fn posts(&self) -> ArcRwSignal<Vec<Post>> {
        self.posts.clone()
    }

    /// Takes a post and sends it as soon as it can. Fails when too many wait already.
    pub(super) fn publish(
        self: &Rc<Self>,
        topic: &Topic,
        url: String,
        body: &impl Serialize,
    ) -> Result<Key, Problem> {
        if self.posts.with_untracked(Vec::len) >= POSTS_MAX {
            let detail = format!("{POSTS_MAX} messages are waiting already. Wait until some are sent.");
            return Err(Problem::new(ErrorCode::TooMany, detail));
        }
        let body = Payload::of(body).map_err(|error| Problem::new(ErrorCode::Invalid, error.to_string()))?;
        let (key, at, state) = (browser::new_key(), browser::wall_ms(), PostState::Pending);
        let post = Post { topic: topic.clone(), key: key.clone(), url, body, at, state };
        self.posts.update(|posts| posts.push(post));
        self.send_waiting(topic);
        Ok(key)
    }

    /// Sends a failed post once more, under the same key.
    pub(super) fn retry(self: &Rc<Self>, topic: &Topic, key: &Key) {
        self.set_state(key, PostState::Pending);
        self.send_waiting(topic);
    }

    /// Drops a post that failed.
    pub(super) fn discard(&self, key: &Key) {
        self.posts.update(|posts| posts.retain(|post| post.key != *key));
    }

    /// A reader of the topic has these events, and everything up to `position`: what they settle is done.
    pub(super) fn settle(&self, topic: &Topic, events: &[Event], position: &Position) {
        let me = self.me.borrow();
        let is_settled = |post: &Post| {
            let came = |event: &Event| Some(&event.author.id) == me.as_ref() && event.key == post.key;
            let passed = matches!(post.state, PostState::Acked(seq) if seq <= position.seq);
            post.topic == *topic && (passed || events.iter().any(came))
        };
        if self.posts.with_untracked(|posts| posts.iter().any(is_settled)) {
            self.posts.update(|posts| posts.retain(|post| !is_settled(post)));
        }
    }

    /// Works through the pending posts of a topic, one at a time, unless that is going on already.
    fn send_waiting(self: &Rc<Self>, topic: &Topic) {
        if self.busy.borrow().contains(topic) {
            return;
        }
        self.busy.borrow_mut().push(topic.clone());
        let (outbox, topic, life) = (self.clone(), topic.clone(), self.life.get());
        spawn_local(async move {
            while let Some(post) = outbox.next_pending(&topic) {
                let sent = outbox.send(&post).await;
                if outbox.life.get() != life {
                    return;
                }
                match sent {
                    Some(Ok(ack)) => {
                        outbox.set_state(&post.key, PostState::Acked(ack.seq));
                        outbox.socket.tell_acked(ack);
                    }
                    Some(Err(problem)) => outbox.set_state(&post.key, PostState::Failed(problem)),
                    None => {}
                }
            }
            outbox.busy.borrow_mut().retain(|busy| *busy != topic);
        });
    }

    /// Tries until the node answers for good, or until there is no need any more: the answer may be lost and
    /// the event come. Only tries that fail while the connection holds are counted.
    async fn send(&self, post: &Post) -> Option<Result<Ack, Problem>> {
        let (mut backoff, mut tries) = (Backoff::default(), 0);
        loop {
            self.socket.connected().await;
            if !self.posts.with_untracked(|posts| posts.iter().any(|other| other.key == post.key)) {
                return None;
            }
            let problem = match http::post_json(&post.url, &post.body, Some(&post.key)).await {
                Err(problem) if problem.code.is_temporary() => problem,
                settled => return Some(settled),
            };
            let pause = problem.retry_after_ms.unwrap_or_else(|| backoff.next_ms(browser::random()));
            browser::sleep(pause.min(PAUSE_MS_MAX)).await;
            tries = if self.socket.is_connected() { tries + 1 } else { 0 };
            if tries == TRIES_MAX {
                return Some(Err(problem));
            }
        }
    }

    fn next_pending(&self, topic: &Topic) -> Option<Post> {
        let is_next = |post: &&Post| post.topic == *topic && post.state == PostState::Pending;
        self.posts.with_untracked(|posts| posts.iter().find(is_next).cloned())
    }

    fn set_state(&self, key: &Key, state: PostState) {
        self.posts.update(|posts| {
            if let Some(post) = posts.iter_mut().find(|post| post.key == *key) {
                post.state = state;
            }
        });
    }
}
