//! `TopicState`: what one reader of a topic has applied, and how its reading goes.
//!
//! It knows no browser, no clock and no request, so that its rules are tested natively. `reader` drives it.

use std::cell::{Cell, RefCell};

use leptos::prelude::*;
use shared::{Event, Feed, Position, Problem, Pull, Seq, Step, TopicKind};

use super::{LoadState, decode};
use crate::realtime::Projection;

/// Events that wait for the next frame. More than a page of them are applied without waiting.
const QUEUED_MAX: usize = 500;

/// One reader's state. The signals are what a feature sees of it.
pub(super) struct TopicState<P: Projection> {
    pub(super) projection: ArcRwSignal<P>,
    pub(super) load_state: ArcRwSignal<LoadState>,
    /// The first event that was applied; zero while there is none.
    pub(super) oldest: ArcRwSignal<Seq>,
    feed: RefCell<Feed<Event>>,
    queued: RefCell<Queued>,
    /// The node does not let us listen. What a page holds is shown all the same, but not as if more would come.
    is_refused: Cell<bool>,
}

/// Events that the feed has released and the projection has not seen.
#[derive(Default)]
struct Queued {
    start_over: bool,
    events: Vec<Event>,
}

/// The reader's part of a step of the feed.
pub(super) struct Next {
    /// The pull to begin.
    pub(super) pull: Option<Pull>,
    /// When to call [`TopicState::apply_queued`].
    pub(super) apply: Apply,
}

/// When queued events are applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Apply {
    /// There are none.
    Nothing,
    /// With one of the next frames, together with those that come until then.
    WithTheFrame,
    /// At once.
    Now,
}

impl<P: Projection> TopicState<P> {
    /// Nothing read yet.
    pub(super) fn new() -> TopicState<P> {
        TopicState {
            projection: ArcRwSignal::new(P::default()),
            load_state: ArcRwSignal::new(LoadState::Loading),
            oldest: ArcRwSignal::new(Seq::ZERO),
            feed: RefCell::new(Feed::new(P::Kind::CATCH_UP_MAX)),
            queued: RefCell::default(),
            is_refused: Cell::default(),
        }
    }

    /// Where the feed is; the projection follows with the next frame.
    pub(super) fn position(&self) -> Option<Position> {
        self.feed.borrow().position()
    }

    /// Asks the feed, and queues what it releases.
    pub(super) fn take(&self, ask: impl FnOnce(&mut Feed<Event>) -> Step<Event>) -> Next {
        let step = ask(&mut self.feed.borrow_mut());
        let mut queued = self.queued.borrow_mut();
        if step.start_over {
            *queued = Queued { start_over: true, events: Vec::new() };
        }
        queued.events.extend(step.apply);
        let apply = match (queued.start_over, queued.events.len()) {
            (false, 0) => Apply::Nothing,
            (false, 1..=QUEUED_MAX) => Apply::WithTheFrame,
            _ => Apply::Now,
        };
        drop(queued);
        self.update_reading();
        Next { pull: step.pull, apply }
    }

    /// Applies what is queued. Gives the events, oldest first: whatever waited for one of them is settled.
    pub(super) fn apply_queued(&self) -> Vec<Event> {
        let Queued { start_over, events } = self.queued.take();
        if start_over || !events.is_empty() {
            let first = events.first().map_or(Seq::ZERO, |event| event.seq);
            if start_over || self.oldest.get_untracked() == Seq::ZERO {
                self.oldest.set(first);
            }
            self.projection.update(|projection| {
                if start_over {
                    *projection = P::default();
                }
                for event in &events {
                    if let Some(payload) = decode::<P>(event) {
                        projection.apply(event, payload);
                    }
                }
            });
        }
        self.update_reading();
        events
    }

    /// The node lets us listen.
    pub(super) fn admitted(&self) {
        self.is_refused.set(false);
    }

    /// The node does not let us listen, or no longer.
    pub(super) fn refused(&self, problem: Problem) {
        self.is_refused.set(true);
        self.load_state.set(LoadState::Failed(problem));
    }

    /// A pull came to nothing, and a person may have to know.
    pub(super) fn pull_failed(&self, problem: Problem) {
        self.pull_cancelled();
        self.load_state.set(LoadState::Failed(problem));
    }

    /// A pull came to nothing, and nobody need know: another one follows.
    pub(super) fn pull_cancelled(&self) {
        self.feed.borrow_mut().on_pull_failed();
    }

    /// A person asks for what is missing once more.
    pub(super) fn retry(&self) {
        self.load_state.set(LoadState::Loading);
        self.update_reading();
    }

    /// Ready once everything that was heard of is applied. Once ready it stays so while a gap is filled: what is shown
    /// is right, and only late.
    fn update_reading(&self) {
        let is_all = self.queued.borrow().events.is_empty() && self.feed.borrow().is_current();
        if is_all && !self.is_refused.get() && *self.load_state.read_untracked() != LoadState::Ready {
            self.load_state.set(LoadState::Ready);
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::{DisplayName, Epoch, ErrorCode, EventPage, Identity, Key, Payload, Topic, UserId};

    use super::*;

    /// A kind of topic whose events are numbers.
    struct Numbers;

    impl TopicKind for Numbers {
        const NAMESPACE: &'static str = "numbers";
        type Event = u64;
        type Signal = ();
    }

    #[derive(Default)]
    struct Sum(Vec<u64>);

    impl Projection for Sum {
        type Kind = Numbers;

        fn apply(&mut self, _: &Event, number: u64) {
            self.0.push(number);
        }

        fn apply_older(&mut self, _: &Event, number: u64) {
            self.0.insert(0, number);
        }
    }

    fn topic() -> Topic {
        Numbers::topic("one").unwrap()
    }

    fn epoch() -> Epoch {
        Epoch::try_from("e1".to_owned()).unwrap()
    }

    fn event(seq: u64) -> Event {
        let author = Identity { id: UserId("u_ada".into()), name: DisplayName::parse("Ada").unwrap() };
        let (key, payload) = (Key::try_from(format!("k{seq}")).unwrap(), Payload::of(&seq).unwrap());
        Event { topic: topic(), seq: Seq(seq), at: 0, author, key, payload }
    }

    fn no_answer() -> Problem {
        Problem::new(ErrorCode::Unavailable, "Can't reach the server.")
    }

    /// A reader that has asked for its first page.
    fn reader() -> TopicState<Sum> {
        let state = TopicState::new();
        assert!(state.take(Feed::resume).pull.is_some());
        assert_eq!(state.load_state.get_untracked(), LoadState::Loading);
        state
    }

    impl TopicState<Sum> {
        fn hears_head(&self, seq: u64) -> bool {
            self.admitted();
            self.settles(self.take(|feed| feed.on_head(&epoch(), Seq(seq))))
        }

        fn gets_page(&self, seqs: std::ops::RangeInclusive<u64>, head: u64) -> bool {
            let events = seqs.map(event).collect();
            let page = EventPage { topic: topic(), epoch: epoch(), head: Seq(head), events };
            self.settles(self.take(|feed| feed.on_page(page.into())))
        }

        fn hears_event(&self, seq: u64) -> bool {
            self.settles(self.take(|feed| feed.on_event(&epoch(), Seq(seq), event(seq))))
        }

        /// As the reader does before the next frame. Tells whether a pull began.
        fn settles(&self, next: Next) -> bool {
            self.apply_queued();
            next.pull.is_some()
        }

        fn reads(&self) -> (LoadState, Vec<u64>) {
            (self.load_state.get_untracked(), self.projection.read_untracked().0.clone())
        }
    }

    #[test]
    fn a_page_makes_it_ready_whether_the_head_comes_before_or_after() {
        let head_first = reader();
        assert!(!head_first.hears_head(2), "the first page is on its way already");
        assert_eq!(head_first.reads(), (LoadState::Loading, vec![]));
        assert!(!head_first.gets_page(1..=2, 2));
        assert_eq!(head_first.reads(), (LoadState::Ready, vec![1, 2]));

        let page_first = reader();
        assert!(!page_first.gets_page(1..=2, 2));
        assert_eq!(page_first.reads(), (LoadState::Ready, vec![1, 2]));
        assert!(!page_first.hears_head(2));
        assert_eq!(page_first.reads(), (LoadState::Ready, vec![1, 2]));
    }

    #[test]
    fn an_empty_topic_is_ready_with_its_empty_page() {
        for head_comes_first in [true, false] {
            let state = reader();
            if head_comes_first {
                state.hears_head(0);
            }
            #[expect(clippy::reversed_empty_ranges, reason = "an empty page")]
            state.gets_page(1..=0, 0);
            assert_eq!(state.reads(), (LoadState::Ready, vec![]));
        }
    }

    #[test]
    fn a_page_that_is_older_than_the_head_is_not_all() {
        let state = reader();
        state.hears_head(3);
        assert!(state.gets_page(1..=2, 2), "the third is pulled");
        assert_eq!(state.reads(), (LoadState::Loading, vec![1, 2]));
        state.gets_page(3..=3, 3);
        assert_eq!(state.reads(), (LoadState::Ready, vec![1, 2, 3]));
    }

    #[test]
    fn a_topic_that_was_opened_while_the_node_was_away_is_ready_once_it_is_back() {
        let state = reader();
        state.pull_failed(no_answer());
        assert_eq!(state.reads(), (LoadState::Failed(no_answer()), vec![]));
        assert!(state.hears_head(1), "the page is asked for again");
        assert_eq!(state.reads().0, LoadState::Failed(no_answer()), "nothing is known yet");
        state.gets_page(1..=1, 1);
        assert_eq!(state.reads(), (LoadState::Ready, vec![1]));
    }

    #[test]
    fn a_topic_that_polls_is_ready_while_a_request_waits() {
        let state = reader();
        state.gets_page(1..=1, 1);
        assert!(state.take(Feed::wait).pull.is_some());
        assert_eq!(state.reads().0, LoadState::Ready);
    }

    #[test]
    fn a_gap_is_filled_without_a_word() {
        let state = reader();
        state.gets_page(1..=1, 1);
        assert!(state.hears_event(3));
        assert_eq!(state.reads(), (LoadState::Ready, vec![1]));
        state.gets_page(2..=3, 3);
        assert_eq!(state.reads(), (LoadState::Ready, vec![1, 2, 3]));
    }

    #[test]
    fn a_gap_that_cannot_be_filled_is_told_until_it_is() {
        let state = reader();
        state.gets_page(1..=1, 1);
        state.hears_event(3);
        state.pull_failed(no_answer());
        assert_eq!(state.reads().0, LoadState::Failed(no_answer()));
        state.retry();
        assert_eq!(state.reads().0, LoadState::Loading);
        assert!(state.take(Feed::resume).pull.is_some());
        state.gets_page(2..=3, 3);
        assert_eq!(state.reads(), (LoadState::Ready, vec![1, 2, 3]));
    }

    #[test]
    fn a_topic_that_was_refused_shows_its_page_and_says_why_until_it_is_let_in() {
        let (state, forbidden) = (reader(), Problem::new(ErrorCode::Forbidden, "Members only."));
        state.refused(forbidden.clone());
        state.gets_page(1..=1, 1);
        assert_eq!(state.reads(), (LoadState::Failed(forbidden), vec![1]));
        state.hears_head(1);
        assert_eq!(state.reads().0, LoadState::Ready);
    }

    #[test]
    fn pushes_wait_for_the_frame_and_a_flood_or_a_fresh_start_does_not() {
        let state = reader();
        let page = EventPage { topic: topic(), epoch: epoch(), head: Seq(1), events: vec![event(1)] };
        assert_eq!(state.take(|feed| feed.on_page(page.into())).apply, Apply::Now);
        state.apply_queued();
        for seq in 2..=501 {
            let next = state.take(|feed| feed.on_event(&epoch(), Seq(seq), event(seq)));
            assert_eq!(next.apply, Apply::WithTheFrame);
        }
        let next = state.take(|feed| feed.on_event(&epoch(), Seq(502), event(502)));
        assert_eq!(next.apply, Apply::Now);
        assert_eq!(state.apply_queued().len(), 501);
        assert_eq!(state.reads().1.len(), 502);
        assert!(state.apply_queued().is_empty());
    }
}
