//! What a reader does about its topics: open, pull, try again, leave; as `client/src/realtime` does it.

use std::sync::Arc;
use std::time::Duration;

use shared::{Ack, ClientFrame, Event, EventPage, Feed, Input, Pull, Seq, Status, Step, Topic};
use tokio::time::sleep;

use super::reader::Reader;
use super::reading::Reading;
use super::request::{self, Refusal};

/// How long one's own event may take to come, once it was acknowledged.
const ACK_PATIENCE: Duration = Duration::from_secs(1);

impl Reader {
    /// Opens a topic, unless it is open.
    pub fn opens(self: &Arc<Self>, topic: &Topic) {
        let mut state = self.lock();
        if state.readings.contains_key(topic) {
            return;
        }
        state.openings += 1;
        let reading = Reading::new(self.world(), state.openings);
        state.readings.insert(topic.clone(), reading);
        if state.connection.status() == Status::Connected {
            state.subscribe(topic.clone());
        }
        drop(state);
        self.feed(topic, Feed::resume);
    }

    /// Leaves a topic.
    pub fn leaves(&self, topic: &Topic) {
        let mut state = self.lock();
        if state.readings.remove(topic).is_some() && state.connection.status() == Status::Connected {
            state.say(&ClientFrame::Unsubscribe { topic: topic.clone() });
        }
    }

    /// A publish of theirs was acknowledged: its event should be pushed shortly, else it is pulled.
    pub fn acknowledged(self: &Arc<Self>, ack: Ack) {
        let patience = if self.status() == Status::Connected { ACK_PATIENCE } else { Duration::ZERO };
        self.beside(|reader| async move {
            sleep(patience).await;
            let at = |reading: &Reading| reading.feed.position().map_or(Seq::ZERO, |at| at.seq);
            if reader.look(|readings| readings.get(&ack.topic).is_some_and(|read| at(read) < ack.seq)) {
                reader.feed(&ack.topic, |feed| feed.on_head(&ack.epoch, ack.seq));
            }
        });
    }

    /// The answer to a pull.
    fn answered(self: &Arc<Self>, topic: Topic, number: u64, answer: Result<EventPage, Refusal>) {
        let polling = self.status() == Status::Polling;
        match self.lock().readings.get_mut(&topic) {
            Some(reading) if reading.number == number => {
                if answer.is_err() {
                    reading.feed.on_pull_failed();
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
            Err(refusal) => {
                // The way is not the reason where this topic alone is refused.
                if polling && refusal != Refusal::Forbidden {
                    self.tell(Input::PollFailed);
                }
                self.try_again(topic, 2_000);
            }
        }
    }

    /// The node ended or refused the subscription.
    pub(super) fn refused(self: &Arc<Self>, topic: Topic) {
        if let Some(reading) = self.lock().readings.get_mut(&topic) {
            reading.refused = true;
        }
        self.try_again(topic, 4_000);
    }

    /// Somebody who was refused, or got no answer, tries again by and by.
    fn try_again(self: &Arc<Self>, topic: Topic, millis: u64) {
        let mut state = self.lock();
        let Some(reading) = state.readings.get_mut(&topic) else { return };
        if std::mem::replace(&mut reading.trying_again, true) {
            return;
        }
        let number = reading.number;
        drop(state);
        self.beside(move |reader| async move {
            reader.world().chance.pause(200..=millis).await;
            let mut state = reader.lock();
            let status = state.connection.status();
            let Some(reading) = state.readings.get_mut(&topic).filter(|reading| reading.number == number)
            else {
                return;
            };
            reading.trying_again = false;
            if std::mem::take(&mut reading.refused) && status == Status::Connected {
                state.subscribe(topic.clone());
            }
            drop(state);
            reader.feed(&topic, if status == Status::Polling { Feed::wait } else { Feed::resume });
        });
    }

    /// Asks the feed of a topic, and does what it says.
    pub(super) fn feed(self: &Arc<Self>, topic: &Topic, input: impl FnOnce(&mut Feed<Event>) -> Step<Event>) {
        let mut state = self.lock();
        let waits = state.connection.status() == Status::Polling;
        let Some(reading) = state.readings.get_mut(topic) else { return };
        let pull = reading.take(self.world(), (&self.identity.id.0, topic), input);
        let number = reading.number;
        drop(state);
        if let Some(pull) = pull {
            self.pull(topic.clone(), number, pull, waits);
        }
    }

    fn pull(self: &Arc<Self>, topic: Topic, number: u64, pull: Pull, waits: bool) {
        let who = &self.identity.id;
        self.world().trace.note(format_args!("{who} pulls {topic} {pull:?} waits: {waits}"));
        self.world().trace.count(if waits { "long poll" } else { "pull" });
        self.beside(move |reader| async move {
            let answer = request::page(&reader, &topic, &pull, waits).await;
            reader.answered(topic, number, answer);
        });
    }
}
