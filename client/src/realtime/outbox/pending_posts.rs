//! `PendingPosts`: the pending posts of one user, in order. Plain data: no browser, no clock.
//!
//! For a post that the browser stores, storage is the truth: if it is gone from there, another tab settled or
//! discarded it.

use shared::{Event, Key, Millis, Position, Topic};

use super::pending_post::{PendingPost, SendState};

/// The pending posts of one user, in the order of writing.
#[derive(Debug, Default)]
pub struct PendingPosts(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    post: PendingPost,
    /// The browser stores the post, so that it survives a reload.
    is_stored: bool,
    /// Not sent from this tab before this time: another tab is about to send it.
    ///
    /// It is in the clock for waiting, which starts at 0 when the tab is opened; `post.at` is in the node's clock. A
    /// post written at 12:00:00 by another tab and found 5 s after this one was opened is held off until 7,000 ms.
    hold_off_until: Millis,
}

impl PendingPosts {
    /// Iterates over the posts in the order of writing.
    pub fn iter(&self) -> impl Iterator<Item = &PendingPost> {
        self.0.iter().map(|entry| &entry.post)
    }

    /// The number of posts without an ack.
    pub fn unsent(&self) -> usize {
        self.iter().filter(|post| !is_acked(post)).count()
    }

    /// A time of writing for the next post: later than all others, even if the clock was set back.
    pub(super) fn next_at(&self, now: Millis) -> Millis {
        self.iter().last().map_or(now, |last| now.max(last.at + 1))
    }

    /// Adds a post that this tab wrote.
    pub(super) fn add(&mut self, post: PendingPost, is_stored: bool) {
        self.insert(Entry { post, is_stored, hold_off_until: 0 });
    }

    /// Merges all posts that the browser stores for the user; `now` is in the clock for waiting.
    ///
    /// A post that is new here is left to the tab that wrote it for `hold_off_ms`.
    pub(super) fn merge_stored(&mut self, stored: Vec<PendingPost>, now: Millis, hold_off_ms: Millis) {
        let is_in_storage = |key: &Key| stored.iter().any(|post| post.key == *key);
        self.0.retain(|entry| !entry.is_stored || is_acked(&entry.post) || is_in_storage(&entry.post.key));
        for post in stored {
            let hold_off_until = now + hold_off_ms;
            match self.find_mut(&post.key) {
                None => self.insert(Entry { post, is_stored: true, hold_off_until }),
                // Another tab changed it. An ack that this tab received is newer than anything in storage.
                Some(entry) if entry.is_stored && !is_acked(&entry.post) && entry.post != post => {
                    entry.post = post;
                    entry.hold_off_until = hold_off_until;
                }
                Some(_) => {}
            }
        }
    }

    /// The first queued post of a topic.
    pub(super) fn next_queued(&self, topic: &Topic) -> Option<PendingPost> {
        self.iter().find(|post| post.topic == *topic && post.state == SendState::Queued).cloned()
    }

    /// The topics that have queued posts.
    pub(super) fn queued_topics(&self) -> Vec<Topic> {
        let queued = self.iter().filter(|post| post.state == SendState::Queued);
        let mut topics: Vec<Topic> = queued.map(|post| post.topic.clone()).collect();
        topics.dedup();
        topics
    }

    /// The time for which to leave a post to the tab that wrote it; `None` if it is not queued any more.
    pub(super) fn hold_off_ms(&self, key: &Key, now: Millis) -> Option<Millis> {
        let entry = self.0.iter().find(|entry| entry.post.key == *key)?;
        (entry.post.state == SendState::Queued).then(|| (entry.hold_off_until - now).max(0))
    }

    /// Stores again, with `store`, every unacknowledged post that the browser stored, and notes which ones it refuses.
    pub(super) fn store_again(&mut self, store: impl Fn(&PendingPost) -> bool) {
        for entry in self.0.iter_mut().filter(|entry| entry.is_stored && !is_acked(&entry.post)) {
            entry.is_stored = store(&entry.post);
        }
    }

    /// True if the browser stores the post.
    pub(super) fn is_stored(&self, key: &Key) -> bool {
        self.0.iter().any(|entry| entry.post.key == *key && entry.is_stored)
    }

    /// Sets the state of a post and returns the post; `None` if it is gone.
    pub(super) fn set_state(&mut self, key: &Key, state: SendState) -> Option<PendingPost> {
        let entry = self.find_mut(key)?;
        entry.post.state = state;
        entry.hold_off_until = 0;
        Some(entry.post.clone())
    }

    /// Queues a held post at the end, as if it were written now.
    pub(super) fn requeue_held(&mut self, key: &Key, now: Millis) {
        let at = self.next_at(now);
        let is_held = self.find_mut(key).is_some_and(|entry| entry.post.state == SendState::Held);
        if is_held && let Some(post) = self.remove(key) {
            self.add(PendingPost { at, state: SendState::Queued, ..post }, true);
        }
    }

    /// Removes a post and returns it.
    pub(super) fn remove(&mut self, key: &Key) -> Option<PendingPost> {
        let index = self.0.iter().position(|entry| entry.post.key == *key)?;
        Some(self.0.remove(index).post)
    }

    /// The keys of the posts that are done, for a reader that has just applied `events` and is at `position`.
    ///
    /// A post acked at seq 7 of epoch `a` is done once a reader of epoch `a` is at 7 or beyond. It is also done for a
    /// reader of any other epoch, where its event will never arrive.
    pub(super) fn settled(&self, topic: &Topic, events: &[Event], position: &Position) -> Vec<Key> {
        let is_settled = |post: &&PendingPost| {
            let is_event_of = |event: &Event| event.author.id == post.author && event.key == post.key;
            let is_past = |acked: &Position| acked.epoch != position.epoch || acked.seq <= position.seq;
            let is_read = matches!(&post.state, SendState::Acked(acked) if is_past(acked));
            post.topic == *topic && (is_read || events.iter().any(is_event_of))
        };
        self.iter().filter(is_settled).map(|post| post.key.clone()).collect()
    }

    fn find_mut(&mut self, key: &Key) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.post.key == *key)
    }

    fn insert(&mut self, entry: Entry) {
        let index = self.0.partition_point(|other| other.post.order() < entry.post.order());
        self.0.insert(index, entry);
    }
}

fn is_acked(post: &PendingPost) -> bool {
    matches!(post.state, SendState::Acked(_))
}

#[cfg(test)]
mod tests {
    use shared::{DisplayName, Epoch, ErrorCode, Identity, Payload, Problem, Seq, UserId};

    use super::*;

    fn key(name: &str) -> Key {
        Key::try_from(name).unwrap()
    }

    fn topic() -> Topic {
        "probe:topic".parse().unwrap()
    }

    fn post(name: &str, at: Millis) -> PendingPost {
        PendingPost {
            author: UserId("u_ada".into()),
            topic: topic(),
            key: key(name),
            url: "/".into(),
            body: Payload::of(&name).unwrap(),
            at,
            state: SendState::Queued,
        }
    }

    fn event(of: &str, seq: u64, author: &str) -> Event {
        let author = Identity { id: UserId(author.into()), name: DisplayName::parse(author).unwrap() };
        let payload = Payload::of(&of).unwrap();
        Event { topic: topic(), seq: Seq(seq), at: 0, author, key: key(of), payload }
    }

    fn position(seq: u64) -> Position {
        Position { epoch: Epoch::try_from("e1".to_owned()).unwrap(), seq: Seq(seq) }
    }

    fn names(posts: &PendingPosts) -> Vec<&str> {
        posts.iter().map(|post| post.key.as_str()).collect()
    }

    /// Posts written in this tab, all stored.
    fn written(all: &[(&str, Millis)]) -> PendingPosts {
        let mut posts = PendingPosts::default();
        for (name, at) in all {
            posts.add(post(name, *at), true);
        }
        posts
    }

    #[test]
    fn posts_of_two_tabs_are_in_the_order_of_writing() {
        let mut posts = written(&[("b", 20), ("d", 40)]);
        let stored = [("c", 30), ("a", 10), ("d", 40), ("b", 20)].map(|(name, at)| post(name, at));
        posts.merge_stored(stored.into(), 0, 0);
        assert_eq!(names(&posts), ["a", "b", "c", "d"]);
        assert_eq!(posts.next_queued(&topic()).map(|post| post.key), Some(key("a")));
    }

    #[test]
    fn setting_the_clock_back_does_not_change_the_order() {
        let posts = written(&[("a", 50)]);
        assert_eq!(posts.next_at(10), 51);
        assert_eq!(posts.next_at(50), 51);
        assert_eq!(posts.next_at(90), 90);
    }

    #[test]
    fn a_post_that_another_tab_settled_goes_and_one_that_was_never_stored_stays() {
        let mut posts = written(&[("stored", 1)]);
        posts.add(post("only-here", 2), false);
        posts.merge_stored(Vec::new(), 0, 0);
        assert_eq!(names(&posts), ["only-here"]);
    }

    #[test]
    fn posts_that_the_user_cleared_are_stored_again_and_stay_even_if_that_fails() {
        let mut posts = written(&[("stored", 1), ("refused", 2)]);
        posts.store_again(|post| post.key == key("stored"));
        assert!(posts.is_stored(&key("stored")) && !posts.is_stored(&key("refused")));
        posts.merge_stored(vec![post("stored", 1)], 0, 0);
        assert_eq!(names(&posts), ["stored", "refused"]);
    }

    #[test]
    fn a_post_of_another_tab_is_left_to_that_tab_for_a_while() {
        let mut posts = written(&[]);
        posts.merge_stored(vec![post("a", 1)], 100, 50);
        assert_eq!(posts.hold_off_ms(&key("a"), 120), Some(30));
        assert_eq!(posts.hold_off_ms(&key("a"), 200), Some(0));
        posts.remove(&key("a"));
        assert_eq!(posts.hold_off_ms(&key("a"), 200), None);
    }

    #[test]
    fn a_failure_in_another_tab_is_a_failure_in_this_one() {
        let mut posts = written(&[("a", 1)]);
        let failed = SendState::Failed(Problem::new(ErrorCode::Invalid, "no"));
        let stored = PendingPost { state: failed.clone(), ..post("a", 1) };
        posts.merge_stored(vec![stored], 0, 0);
        assert_eq!(posts.iter().next().map(|post| post.state.clone()), Some(failed));
        assert_eq!((posts.next_queued(&topic()), posts.unsent()), (None, 1));
    }

    #[test]
    fn an_event_settles_only_a_post_of_its_author() {
        let posts = written(&[("a", 1)]);
        assert_eq!(posts.settled(&topic(), &[event("a", 1, "u_bob")], &position(1)), []);
        assert_eq!(posts.settled(&topic(), &[event("a", 2, "u_ada")], &position(2)), [key("a")]);
    }

    #[test]
    fn an_acked_post_is_settled_by_a_reader_that_has_read_that_far() {
        let mut posts = written(&[("a", 1)]);
        posts.set_state(&key("a"), SendState::Acked(position(7)));
        assert_eq!(posts.unsent(), 0);
        assert_eq!(posts.settled(&topic(), &[], &position(6)), []);
        assert_eq!(posts.settled(&topic(), &[], &position(7)), [key("a")]);
    }

    #[test]
    fn a_stored_post_is_read_back_unchanged() {
        let failed = SendState::Failed(Problem::new(ErrorCode::Invalid, "no"));
        for state in [SendState::Queued, failed] {
            let post = PendingPost { state, ..post("a", 1) };
            assert_eq!(PendingPost::from_json(&post.to_json().unwrap(), 2), Some(post));
        }
    }

    #[test]
    fn a_post_of_any_age_is_stored_and_held_after_thirty_days() {
        const DAY: Millis = 24 * 60 * 60 * 1_000;
        let stored = post("a", 0).to_json().unwrap();
        let state = |now| PendingPost::from_json(&stored, now).unwrap().state;
        assert_eq!(state(30 * DAY), SendState::Queued);
        assert_eq!(state(31 * DAY), SendState::Held);
        assert_eq!(state(400 * DAY), SendState::Held);
        assert_eq!(state(-400 * DAY), SendState::Queued, "a clock that was set back");
    }

    #[test]
    fn a_held_post_is_not_sent_until_its_author_confirms_it_and_is_then_sent_last() {
        let mut posts = PendingPosts::default();
        posts.merge_stored(
            vec![PendingPost { state: SendState::Held, ..post("old", 1) }, post("new", 50)],
            0,
            0,
        );
        assert_eq!(posts.next_queued(&topic()).map(|post| post.key), Some(key("new")));
        assert_eq!(posts.unsent(), 2);
        posts.requeue_held(&key("old"), 40);
        assert_eq!(names(&posts), ["new", "old"]);
        posts.requeue_held(&key("old"), 90);
        assert_eq!(
            posts.iter().last().map(|post| post.at),
            Some(51),
            "a post that is not held keeps its place"
        );
    }
}
