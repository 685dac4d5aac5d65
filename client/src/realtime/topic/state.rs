//! `TopicState`: the events of a topic that one reader has applied, and the progress of its reading.
//!
//! It knows no clock and makes no requests, so that its rules are tested natively. `driver` drives it.

use std::cell::{Cell, RefCell};

use leptos::prelude::*;
use shared::{Event, Feed, Position, Problem, Pull, Seq, Step, TopicKind};

use crate::realtime::projection::Projection;

/// The most events that wait for the next frame. A longer queue is applied at once.
const QUEUED_MAX: usize = 500;

/// The progress of reading a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadState {
    /// The first page has not arrived yet.
    Loading,
    /// Every event that the reader knows of is applied.
    Ready,
    /// Events are missing and could not be pulled; `TopicReader::pull_again` tries again.
    Failed(Problem),
}

/// The state of one reader. A feature sees its signals.
pub(super) struct TopicState<P: Projection> {
    pub(super) projection: ArcRwSignal<P>,
    pub(super) load_state: ArcRwSignal<LoadState>,
    /// The seq of the first event that was applied; zero while there is none.
    pub(super) oldest: ArcRwSignal<Seq>,
    feed: RefCell<Feed<Event>>,
    queue: RefCell<PendingActions>,
    /// The node refuses the subscription. Pulled pages are shown, but not as `Ready`: nothing would follow them.
    is_refused: Cell<bool>,
}

/// Events that the feed has released and the projection has not seen.
#[derive(Default)]
struct PendingActions {
    start_over: bool,
    events: Vec<Event>,
}

/// The actions that a step of the feed leaves to the driver.
pub(super) struct Actions {
    /// The pull to start.
    pub(super) pull: Option<Pull>,
    /// The time to call [`TopicState::apply_queue`].
    pub(super) apply: Apply,
}

/// The time at which queued events are applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Apply {
    /// The queue is empty.
    Nothing,
    /// With one of the next frames, together with the events that arrive until then.
    OnFrame,
    /// At once.
    Now,
}

impl<P: Projection> TopicState<P> {
    /// Creates the state of a reader that has read nothing.
    pub(super) fn new() -> TopicState<P> {
        TopicState {
            projection: ArcRwSignal::new(P::default()),
            load_state: ArcRwSignal::new(LoadState::Loading),
            oldest: ArcRwSignal::new(Seq::ZERO),
            feed: RefCell::new(Feed::new(P::Kind::CATCH_UP_MAX)),
            queue: RefCell::default(),
            is_refused: Cell::default(),
        }
    }

    /// The position of the feed. The projection may be behind it until the queue is applied.
    ///
    /// Example: the feed has released seqs 6 and 7 and is at 7; until the next frame the projection ends at 5.
    pub(super) fn position(&self) -> Option<Position> {
        self.feed.borrow().position()
    }

    /// Passes an input to the feed and queues the events that it releases.
    pub(super) fn advance(&self, input: impl FnOnce(&mut Feed<Event>) -> Step<Event>) -> Actions {
        let step = input(&mut self.feed.borrow_mut());
        let mut queue = self.queue.borrow_mut();
        if step.start_over {
            *queue = PendingActions { start_over: true, events: Vec::new() };
        }
        queue.events.extend(step.apply);
        let apply = match (queue.start_over, queue.events.len()) {
            (false, 0) => Apply::Nothing,
            (false, 1..=QUEUED_MAX) => Apply::OnFrame,
            _ => Apply::Now,
        };
        drop(queue);
        self.update_load_state();
        Actions { pull: step.pull, apply }
    }

    /// Applies the queue. Returns its events, oldest first, so that the posts that wait for them can be settled.
    pub(super) fn apply_queue(&self) -> Vec<Event> {
        let PendingActions { start_over, events } = self.queue.take();
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
        self.update_load_state();
        events
    }

    /// Notes that the node accepts the subscription.
    pub(super) fn set_admitted(&self) {
        self.is_refused.set(false);
    }

    /// Notes that the node refuses the subscription, or has ended it.
    pub(super) fn set_refused(&self, problem: Problem) {
        self.is_refused.set(true);
        self.load_state.set(LoadState::Failed(problem));
    }

    /// Notes that a pull failed, and shows why.
    pub(super) fn pull_failed(&self, problem: Problem) {
        self.pull_cancelled();
        self.load_state.set(LoadState::Failed(problem));
    }

    /// Notes that a pull has no answer, without showing it: another pull follows.
    pub(super) fn pull_cancelled(&self) {
        self.feed.borrow_mut().on_pull_failed();
    }

    /// Shows that the user's retry is in progress.
    pub(super) fn retry(&self) {
        self.load_state.set(LoadState::Loading);
        self.update_load_state();
    }

    /// Sets `Ready` once every event that the reader knows of is applied. It then stays while a gap is filled: what
    /// is shown is correct, only not complete yet.
    fn update_load_state(&self) {
        let is_complete = self.queue.borrow().events.is_empty() && self.feed.borrow().is_current();
        if is_complete && !self.is_refused.get() && *self.load_state.read_untracked() != LoadState::Ready {
            self.load_state.set(LoadState::Ready);
        }
    }
}

/// Decodes an event's payload. `None`, with a warning in the console, if this client is too old to understand it.
pub(super) fn decode<P: Projection>(event: &Event) -> Option<<P::Kind as TopicKind>::Event> {
    let payload = event.payload.read();
    if let Err(error) = &payload {
        let warning = format!("{} {} could not be read: {error}", event.topic, event.seq);
        web_sys::console::warn_1(&warning.into());
    }
    payload.ok()
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
        let key = Key::try_from(format!("k{seq}")).unwrap();
        let payload = Payload::of(&seq).unwrap();
        Event { topic: topic(), seq: Seq(seq), at: 0, author, key, payload }
    }

    fn no_answer() -> Problem {
        Problem::new(ErrorCode::Unavailable, "Can't reach the server.")
    }

    /// Creates the state of a reader whose first pull is in flight.
    fn reader() -> TopicState<Sum> {
        let state = TopicState::new();
        assert!(state.advance(Feed::resume).pull.is_some());
        assert_eq!(state.load_state.get_untracked(), LoadState::Loading);
        state
    }

    impl TopicState<Sum> {
        fn receives_head(&self, seq: u64) -> bool {
            self.set_admitted();
            self.settles(self.advance(|feed| feed.on_head(&epoch(), Seq(seq))))
        }

        fn receives_page(&self, seqs: std::ops::RangeInclusive<u64>, head: u64) -> bool {
            let events = seqs.map(event).collect();
            let page = EventPage { topic: topic(), epoch: epoch(), head: Seq(head), events };
            self.settles(self.advance(|feed| feed.on_page(page.into())))
        }

        fn receives_event(&self, seq: u64) -> bool {
            self.settles(self.advance(|feed| feed.on_event(&epoch(), Seq(seq), event(seq))))
        }

        /// Applies the queue, as the driver does on the next frame. Returns true if a pull is to start.
        fn settles(&self, actions: Actions) -> bool {
            self.apply_queue();
            actions.pull.is_some()
        }

        fn shown(&self) -> (LoadState, Vec<u64>) {
            (self.load_state.get_untracked(), self.projection.read_untracked().0.clone())
        }
    }

    #[test]
    fn the_first_page_makes_a_topic_ready_whether_head_comes_before_or_after_it() {
        let head_first = reader();
        assert!(!head_first.receives_head(2), "the first pull is in flight already");
        assert_eq!(head_first.shown(), (LoadState::Loading, vec![]));
        assert!(!head_first.receives_page(1..=2, 2));
        assert_eq!(head_first.shown(), (LoadState::Ready, vec![1, 2]));

        let page_first = reader();
        assert!(!page_first.receives_page(1..=2, 2));
        assert_eq!(page_first.shown(), (LoadState::Ready, vec![1, 2]));
        assert!(!page_first.receives_head(2));
        assert_eq!(page_first.shown(), (LoadState::Ready, vec![1, 2]));
    }

    #[test]
    fn an_empty_topic_is_ready_after_its_empty_page() {
        for head_comes_first in [true, false] {
            let state = reader();
            if head_comes_first {
                state.receives_head(0);
            }
            #[expect(clippy::reversed_empty_ranges, reason = "an empty page")]
            state.receives_page(1..=0, 0);
            assert_eq!(state.shown(), (LoadState::Ready, vec![]));
        }
    }

    #[test]
    fn a_topic_is_not_ready_while_its_page_ends_before_the_head() {
        let state = reader();
        state.receives_head(3);
        assert!(state.receives_page(1..=2, 2), "the third event is pulled");
        assert_eq!(state.shown(), (LoadState::Loading, vec![1, 2]));
        state.receives_page(3..=3, 3);
        assert_eq!(state.shown(), (LoadState::Ready, vec![1, 2, 3]));
    }

    #[test]
    fn a_topic_opened_while_the_node_was_away_is_ready_once_it_is_back() {
        let state = reader();
        state.pull_failed(no_answer());
        assert_eq!(state.shown(), (LoadState::Failed(no_answer()), vec![]));
        assert!(state.receives_head(1), "the page is pulled again");
        assert_eq!(state.shown().0, LoadState::Failed(no_answer()), "nothing has arrived yet");
        state.receives_page(1..=1, 1);
        assert_eq!(state.shown(), (LoadState::Ready, vec![1]));
    }

    #[test]
    fn a_polled_topic_is_ready_while_a_long_poll_waits() {
        let state = reader();
        state.receives_page(1..=1, 1);
        assert!(state.advance(Feed::wait).pull.is_some());
        assert_eq!(state.shown().0, LoadState::Ready);
    }

    #[test]
    fn a_topic_stays_ready_while_a_gap_is_filled() {
        let state = reader();
        state.receives_page(1..=1, 1);
        assert!(state.receives_event(3));
        assert_eq!(state.shown(), (LoadState::Ready, vec![1]));
        state.receives_page(2..=3, 3);
        assert_eq!(state.shown(), (LoadState::Ready, vec![1, 2, 3]));
    }

    #[test]
    fn a_gap_that_cannot_be_filled_is_an_error_until_it_is_filled() {
        let state = reader();
        state.receives_page(1..=1, 1);
        state.receives_event(3);
        state.pull_failed(no_answer());
        assert_eq!(state.shown().0, LoadState::Failed(no_answer()));
        state.retry();
        assert_eq!(state.shown().0, LoadState::Loading);
        assert!(state.advance(Feed::resume).pull.is_some());
        state.receives_page(2..=3, 3);
        assert_eq!(state.shown(), (LoadState::Ready, vec![1, 2, 3]));
    }

    #[test]
    fn a_refused_topic_shows_its_page_and_the_reason_until_it_is_admitted() {
        let state = reader();
        let forbidden = Problem::new(ErrorCode::Forbidden, "Members only.");
        state.set_refused(forbidden.clone());
        state.receives_page(1..=1, 1);
        assert_eq!(state.shown(), (LoadState::Failed(forbidden), vec![1]));
        state.receives_head(1);
        assert_eq!(state.shown().0, LoadState::Ready);
    }

    #[test]
    fn pushed_events_wait_for_a_frame_unless_there_are_too_many_or_the_reader_starts_over() {
        let state = reader();
        let page = EventPage { topic: topic(), epoch: epoch(), head: Seq(1), events: vec![event(1)] };
        assert_eq!(state.advance(|feed| feed.on_page(page.into())).apply, Apply::Now);
        state.apply_queue();
        for seq in 2..=501 {
            let actions = state.advance(|feed| feed.on_event(&epoch(), Seq(seq), event(seq)));
            assert_eq!(actions.apply, Apply::OnFrame);
        }
        let actions = state.advance(|feed| feed.on_event(&epoch(), Seq(502), event(502)));
        assert_eq!(actions.apply, Apply::Now);
        assert_eq!(state.apply_queue().len(), 501);
        assert_eq!(state.shown().1.len(), 502);
        assert!(state.apply_queue().is_empty());
    }
}
