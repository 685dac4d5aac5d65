//! `PendingPosts`: what one person has written and not seen as events yet, in order. Plain data: no browser, no clock.
//!
//! What the browser's storage holds counts, for a post that is kept there: one that is gone from it was settled
//! or dropped in another tab.

use shared::{Event, Key, Millis, Position, Topic};

use super::{PendingPost, SendState};

/// See the module.
#[derive(Debug, Default)]
pub(in crate::realtime) struct PendingPosts(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    post: PendingPost,
    /// Whether the browser holds it, so that it survives a reload.
    is_kept: bool,
    /// Not sent from here before: another tab is about to.
    left_until: Millis,
}

impl PendingPosts {
    /// All of them, in the order of writing.
    pub(in crate::realtime) fn iter(&self) -> impl Iterator<Item = &PendingPost> {
        self.0.iter().map(|entry| &entry.post)
    }

    /// How many have no ack.
    pub(super) fn unsent(&self) -> usize {
        self.iter().filter(|post| !is_acked(post)).count()
    }

    /// A time for the next post: after all that are there, even if the clock was turned back.
    pub(super) fn next_at(&self, now: Millis) -> Millis {
        self.iter().last().map_or(now, |last| now.max(last.at + 1))
    }

    /// Adds a post.
    pub(super) fn add(&mut self, post: PendingPost, is_kept: bool) {
        self.insert(Entry { post, is_kept, left_until: 0 });
    }

    /// Takes in what the browser holds of the same person; `now` is of the clock for waiting. What is new here is
    /// left to the tab that wrote it, for a while, unless no other can be sending it: then `left_ms` is 0.
    pub(super) fn take_kept(&mut self, kept: Vec<PendingPost>, now: Millis, left_ms: Millis) {
        let is_there = |key: &Key| kept.iter().any(|post| post.key == *key);
        self.0.retain(|entry| !entry.is_kept || is_acked(&entry.post) || is_there(&entry.post.key));
        for post in kept {
            match self.0.iter_mut().find(|entry| entry.post.key == post.key) {
                None => self.insert(Entry { post, is_kept: true, left_until: now + left_ms }),
                // Moved on in another tab; an ack that was heard here says more.
                Some(entry) if entry.is_kept && !is_acked(&entry.post) && entry.post != post => {
                    (entry.post, entry.left_until) = (post, now + left_ms);
                }
                Some(_) => {}
            }
        }
    }

    /// The first one of a topic that is to be sent.
    pub(super) fn next_queued(&self, topic: &Topic) -> Option<PendingPost> {
        let is_next = |post: &&PendingPost| post.topic == *topic && post.state == SendState::Queued;
        self.iter().find(is_next).cloned()
    }

    /// The topics to which something is to be sent.
    pub(super) fn queued_topics(&self) -> Vec<Topic> {
        let pending = self.iter().filter(|post| post.state == SendState::Queued);
        let mut topics: Vec<Topic> = pending.map(|post| post.topic.clone()).collect();
        topics.dedup();
        topics
    }

    /// How long to leave a post to the tab that wrote it; nothing when it is no longer to be sent.
    pub(super) fn left_ms(&self, key: &Key, now: Millis) -> Option<Millis> {
        let entry = self.0.iter().find(|entry| entry.post.key == *key)?;
        (entry.post.state == SendState::Queued).then(|| (entry.left_until - now).max(0))
    }

    /// Has `keep` keep again what the browser held, and notes what it does not keep any more.
    pub(super) fn keep_anew(&mut self, keep: impl Fn(&PendingPost) -> bool) {
        for entry in self.0.iter_mut().filter(|entry| entry.is_kept && !is_acked(&entry.post)) {
            entry.is_kept = keep(&entry.post);
        }
    }

    /// Whether the browser holds a post of that key.
    pub(super) fn is_kept(&self, key: &Key) -> bool {
        self.0.iter().any(|entry| entry.post.key == *key && entry.is_kept)
    }

    /// Moves a post on, and gives it back as it is then. Nothing when it is not there any more.
    pub(super) fn set_state(&mut self, key: &Key, state: SendState) -> Option<PendingPost> {
        let entry = self.0.iter_mut().find(|entry| entry.post.key == *key)?;
        (entry.post.state, entry.left_until) = (state, 0);
        Some(entry.post.clone())
    }

    /// Moves a held post to the end, as one that is written now.
    pub(super) fn renew_held(&mut self, key: &Key, now: Millis) {
        let at = self.next_at(now);
        if let Some(post) = self.remove_if(|post| post.key == *key && post.state == SendState::Held) {
            self.add(PendingPost { at, state: SendState::Queued, ..post }, true);
        }
    }

    /// Takes a post out.
    pub(super) fn remove(&mut self, key: &Key) -> Option<PendingPost> {
        self.remove_if(|post| post.key == *key)
    }

    fn remove_if(&mut self, is_it: impl Fn(&PendingPost) -> bool) -> Option<PendingPost> {
        let place = self.0.iter().position(|entry| is_it(&entry.post))?;
        Some(self.0.remove(place).post)
    }

    /// Which posts are done, for a reader that has these events and everything up to `at`.
    pub(super) fn settled(&self, topic: &Topic, events: &[Event], at: &Position) -> Vec<Key> {
        let is_settled = |post: &&PendingPost| {
            let came = |event: &Event| event.author.id == post.author && event.key == post.key;
            // The event of another life of the log does not come any more.
            let is_past = |acked: &Position| acked.epoch != at.epoch || acked.seq <= at.seq;
            let passed = matches!(&post.state, SendState::Acked(acked) if is_past(acked));
            post.topic == *topic && (passed || events.iter().any(came))
        };
        self.iter().filter(is_settled).map(|post| post.key.clone()).collect()
    }

    fn insert(&mut self, entry: Entry) {
        let place = self.0.partition_point(|other| other.post.place() < entry.post.place());
        self.0.insert(place, entry);
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
        let (author, body) = (UserId("u_ada".into()), Payload::of(&name).unwrap());
        let (topic, url, state) = (topic(), "/".into(), SendState::Queued);
        PendingPost { author, topic, key: key(name), url, body, at, state }
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

    /// Written here, all kept.
    fn written(these: &[(&str, Millis)]) -> PendingPosts {
        let mut posts = PendingPosts::default();
        these.iter().for_each(|(name, at)| posts.add(post(name, *at), true));
        posts
    }

    #[test]
    fn posts_of_two_tabs_stand_in_the_order_of_writing() {
        let mut posts = written(&[("b", 20), ("d", 40)]);
        let all = ["c", "a", "d", "b"].map(|name| {
            post(
                name,
                match name {
                    "a" => 10,
                    "b" => 20,
                    "c" => 30,
                    _ => 40,
                },
            )
        });
        posts.take_kept(all.into(), 0, 0);
        assert_eq!(names(&posts), ["a", "b", "c", "d"]);
        assert_eq!(posts.next_queued(&topic()).map(|post| post.key), Some(key("a")));
    }

    #[test]
    fn a_clock_that_is_turned_back_does_not_change_the_order() {
        let posts = written(&[("a", 50)]);
        assert_eq!(posts.next_at(10), 51);
        assert_eq!(posts.next_at(50), 51);
        assert_eq!(posts.next_at(90), 90);
    }

    #[test]
    fn what_another_tab_settled_goes_and_what_the_browser_never_held_stays() {
        let mut posts = written(&[("kept", 1)]);
        posts.add(post("only-here", 2), false);
        posts.take_kept(Vec::new(), 0, 0);
        assert_eq!(names(&posts), ["only-here"]);
    }

    #[test]
    fn what_the_browser_forgot_is_kept_anew_and_stays_either_way() {
        let mut posts = written(&[("kept", 1), ("refused", 2)]);
        posts.keep_anew(|post| post.key == key("kept"));
        assert!(posts.is_kept(&key("kept")) && !posts.is_kept(&key("refused")));
        posts.take_kept(vec![post("kept", 1)], 0, 0);
        assert_eq!(names(&posts), ["kept", "refused"]);
    }

    #[test]
    fn a_post_of_another_tab_is_left_to_it_for_a_while() {
        let mut posts = written(&[]);
        posts.take_kept(vec![post("a", 1)], 100, 50);
        assert_eq!(posts.left_ms(&key("a"), 120), Some(30));
        assert_eq!(posts.left_ms(&key("a"), 200), Some(0));
        posts.remove(&key("a"));
        assert_eq!(posts.left_ms(&key("a"), 200), None);
    }

    #[test]
    fn a_failure_in_another_tab_is_one_here() {
        let (mut posts, failed) =
            (written(&[("a", 1)]), SendState::Failed(Problem::new(ErrorCode::Invalid, "no")));
        let told = PendingPost { state: failed.clone(), ..post("a", 1) };
        posts.take_kept(vec![told], 0, 0);
        assert_eq!(posts.iter().next().map(|post| post.state.clone()), Some(failed));
        assert_eq!((posts.next_queued(&topic()), posts.unsent()), (None, 1));
    }

    #[test]
    fn an_event_settles_the_post_of_its_author_only() {
        let posts = written(&[("a", 1)]);
        assert_eq!(posts.settled(&topic(), &[event("a", 1, "u_bob")], &position(1)), []);
        assert_eq!(posts.settled(&topic(), &[event("a", 2, "u_ada")], &position(2)), [key("a")]);
    }

    #[test]
    fn an_acked_post_is_settled_by_whoever_has_read_that_far() {
        let mut posts = written(&[("a", 1)]);
        posts.set_state(&key("a"), SendState::Acked(position(7)));
        assert_eq!(posts.unsent(), 0);
        assert_eq!(posts.settled(&topic(), &[], &position(6)), []);
        assert_eq!(posts.settled(&topic(), &[], &position(7)), [key("a")]);
    }

    #[test]
    fn what_was_kept_is_read_back_as_it_was() {
        let failed = SendState::Failed(Problem::new(ErrorCode::Invalid, "no"));
        for state in [SendState::Queued, failed] {
            let post = PendingPost { state, ..post("a", 1) };
            assert_eq!(PendingPost::from_json(&post.to_json().unwrap(), 2), Some(post));
        }
    }

    #[test]
    fn a_post_is_kept_however_old_and_held_after_thirty_days() {
        const DAY: Millis = 24 * 60 * 60 * 1_000;
        let kept = post("a", 0).to_json().unwrap();
        let state = |now| PendingPost::from_json(&kept, now).unwrap().state;
        assert_eq!(state(30 * DAY), SendState::Queued);
        assert_eq!(state(31 * DAY), SendState::Held);
        assert_eq!(state(400 * DAY), SendState::Held);
        assert_eq!(state(-400 * DAY), SendState::Queued, "a clock that was turned back");
    }

    #[test]
    fn a_held_post_is_not_sent_before_its_author_says_so_and_then_goes_out_last() {
        let mut posts = PendingPosts::default();
        posts.take_kept(
            vec![PendingPost { state: SendState::Held, ..post("old", 1) }, post("new", 50)],
            0,
            0,
        );
        assert_eq!(posts.next_queued(&topic()).map(|post| post.key), Some(key("new")));
        assert_eq!(posts.unsent(), 2);
        posts.renew_held(&key("old"), 40);
        assert_eq!(names(&posts), ["new", "old"]);
        posts.renew_held(&key("old"), 90);
        assert_eq!(posts.iter().last().map(|post| post.at), Some(51), "it is held no longer");
    }
}
