//! The topics of a reader: opens, pulls, retries and leaves them in the same way as `client/src/realtime`.

use std::sync::Arc;
use std::time::Duration;

use shared::{Ack, ClientFrame, Event, EventPage, Feed, Input, Pull, Seq, Status, Step, Topic};
use tokio::time::sleep;

use super::reader::Reader;
use super::request::{self, RequestError};
use super::topic_reader::TopicReader;

/// The push of a reader's own event may arrive this long after its acknowledgement. Then the event is pulled.
const ACK_PATIENCE: Duration = Duration::from_secs(1);

impl Reader {
    /// Opens a topic, unless it is open.
    pub fn open_topic(self: &Arc<Self>, topic: &Topic) {
        let mut state = self.lock();
        if state.topics.contains_key(topic) {
            return;
        }
        state.topics_opened += 1;
        let topic_reader = TopicReader::new(self.world(), state.topics_opened);
        state.topics.insert(topic.clone(), topic_reader);
        if state.connection.status() == Status::Connected {
            state.subscribe(topic.clone());
        }
        drop(state);
        self.feed(topic, Feed::resume);
    }

    pub fn leave_topic(&self, topic: &Topic) {
        let mut state = self.lock();
        if state.topics.remove(topic).is_some() && state.connection.status() == Status::Connected {
            state.send(&ClientFrame::Unsubscribe { topic: topic.clone() });
        }
    }

    /// Handles the acknowledgement of a publish. If its event is not pushed soon, it is pulled.
    pub fn acknowledged(self: &Arc<Self>, ack: Ack) {
        let patience = if self.status() == Status::Connected { ACK_PATIENCE } else { Duration::ZERO };
        self.spawn(|reader| async move {
            sleep(patience).await;
            let seq = |topic: &TopicReader| topic.feed.position().map_or(Seq::ZERO, |at| at.seq);
            if reader.with_topics(|topics| topics.get(&ack.topic).is_some_and(|topic| seq(topic) < ack.seq)) {
                reader.feed(&ack.topic, |feed| feed.on_head(&ack.epoch, ack.seq));
            }
        });
    }

    /// Handles the answer to a pull.
    fn answered(self: &Arc<Self>, topic: Topic, number: u64, answer: Result<EventPage, RequestError>) {
        let polling = self.status() == Status::Polling;
        match self.lock().topics.get_mut(&topic) {
            Some(topic_reader) if topic_reader.number == number => {
                if answer.is_err() {
                    topic_reader.feed.on_pull_failed();
                }
            }
            _ => return,
        }
        match answer {
            Ok(page) => {
                self.feed(&topic, |feed| feed.on_page(page.into()));
                if polling {
                    self.feed(&topic, Feed::wait);
                }
            }
            Err(error) => {
                // A topic that is forbidden says nothing about the network.
                if polling && error != RequestError::Forbidden {
                    self.input(Input::PollFailed);
                }
                self.retry_later(topic, 2_000);
            }
        }
    }

    /// Handles a subscription that the node ended or refused.
    pub(super) fn refused(self: &Arc<Self>, topic: Topic) {
        if let Some(topic_reader) = self.lock().topics.get_mut(&topic) {
            topic_reader.refused = true;
        }
        self.retry_later(topic, 4_000);
    }

    /// Schedules a retry after a refusal or a failed pull.
    fn retry_later(self: &Arc<Self>, topic: Topic, millis_max: u64) {
        let mut state = self.lock();
        let Some(topic_reader) = state.topics.get_mut(&topic) else { return };
        if std::mem::replace(&mut topic_reader.retrying, true) {
            return;
        }
        let number = topic_reader.number;
        drop(state);
        self.spawn(move |reader| async move {
            reader.world().rng.sleep(200..=millis_max).await;
            let mut state = reader.lock();
            let status = state.connection.status();
            let Some(topic_reader) = state.topics.get_mut(&topic) else { return };
            if topic_reader.number != number {
                return;
            }
            topic_reader.retrying = false;
            if std::mem::take(&mut topic_reader.refused) && status == Status::Connected {
                state.subscribe(topic.clone());
            }
            drop(state);
            reader.feed(&topic, if status == Status::Polling { Feed::wait } else { Feed::resume });
        });
    }

    /// Gives a topic's feed an input, and sends the pull that it asks for.
    pub(super) fn feed(self: &Arc<Self>, topic: &Topic, input: impl FnOnce(&mut Feed<Event>) -> Step<Event>) {
        let mut state = self.lock();
        let waits = state.connection.status() == Status::Polling;
        let Some(topic_reader) = state.topics.get_mut(topic) else { return };
        let pull = topic_reader.input(self.world(), &self.identity.id.0, topic, input);
        let number = topic_reader.number;
        drop(state);
        if let Some(pull) = pull {
            self.pull(topic.clone(), number, pull, waits);
        }
    }

    fn pull(self: &Arc<Self>, topic: Topic, number: u64, pull: Pull, waits: bool) {
        let user = &self.identity.id;
        self.world().trace.note(format_args!("{user} pulls {topic} {pull:?} waits: {waits}"));
        self.world().trace.count(if waits { "long poll" } else { "pull" });
        self.spawn(move |reader| async move {
            let answer = request::page(&reader, &topic, &pull, waits).await;
            reader.answered(topic, number, answer);
        });
    }
}
