//! How posts go out: one at a time for each topic, again and again with the same key, while the node can be reached.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Ack, Backoff, ErrorCode, Key, Millis, Position, Problem, Topic};

use super::{Outbox, PendingPost, SendState, store};
use crate::{browser, http};

/// How often a post is tried while the connection holds, before a person is asked.
const TRIES_MAX: u32 = 5;
/// The longest wait between two of these attempts.
const PAUSE_MS_MAX: u64 = 10_000;
/// How soon it is noticed that another tab has sent it.
const LOOK_MS: Millis = 200;

impl Outbox {
    /// Works through the pending posts of a topic, one at a time, unless that is going on already.
    pub(super) fn send_waiting(self: &Rc<Self>, topic: &Topic) {
        if self.busy.borrow().contains(topic) {
            return;
        }
        self.busy.borrow_mut().push(topic.clone());
        let (outbox, topic, generation) = (self.clone(), topic.clone(), self.generation.get());
        spawn_local(async move {
            while let Some(post) = outbox.posts.with_untracked(|posts| posts.next_queued(&topic)) {
                let sent = outbox.send(&post).await;
                if outbox.generation.get() != generation {
                    return;
                }
                match sent {
                    Some(Ok(ack)) => {
                        let acked = Position { epoch: ack.epoch.clone(), seq: ack.seq };
                        outbox.set_state(&post.key, SendState::Acked(acked));
                        outbox.socket.tell_acked(ack);
                    }
                    // It waits for its author, who may come back.
                    Some(Err(problem)) if problem.code == ErrorCode::Unauthenticated => break,
                    Some(Err(problem)) => outbox.set_state(&post.key, SendState::Failed(problem)),
                    None => {}
                }
            }
            outbox.busy.borrow_mut().retain(|busy| *busy != topic);
        });
    }

    /// Tries until the node answers for good. Nothing when there is no need any more: the answer may be lost and
    /// the event come, or another tab have sent it. Only tries that fail while the connection holds are counted.
    async fn send(&self, post: &PendingPost) -> Option<Result<Ack, Problem>> {
        let (mut backoff, mut tries) = (Backoff::default(), 0);
        loop {
            self.turn_of(&post.key).await?;
            if store::is_of_another(&post.author) {
                return Some(Err(Problem::new(ErrorCode::Unauthenticated, "Somebody else is signed in.")));
            }
            let problem = match http::post_json(&post.url, &post.body, Some(&post.key)).await {
                Err(problem) if problem.code.is_temporary() => problem,
                settled => return Some(settled),
            };
            self.warn_unless_kept(&post.key);
            let pause = problem.retry_after_ms.unwrap_or_else(|| backoff.next_ms(browser::random()));
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

    /// Waits until the node answers and no other tab is at it. Nothing when it need not be sent any more.
    async fn turn_of(&self, key: &Key) -> Option<()> {
        loop {
            self.socket.reachable().await;
            if let Some(me) = self.me.borrow().as_ref() {
                self.keep_what_was_cleared(me);
            }
            let left = self.posts.with_untracked(|posts| posts.left_ms(key, browser::now_ms()))?;
            let is_kept = self.posts.with_untracked(|posts| posts.is_kept(key));
            if is_kept && !store::holds(key) {
                self.posts.try_update(|posts| posts.remove(key));
                return None;
            }
            if left == 0 {
                return Some(());
            }
            browser::sleep(left.min(LOOK_MS) as u64).await;
        }
    }
}
