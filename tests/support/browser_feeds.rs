//! The feeds of a `TestBrowser`, one for each topic, and their pulls. While no socket gets through, each topic has a
//! long poll.

use std::time::Duration;

use shared::{Event, EventPage, Feed, Input, Status, Step, Topic, endpoint};
use tokio::time::sleep;

use super::browser_loop::{BrowserLoop, TaskOutput};

/// The widest gap for which a feed catches up, so wide that a test sees every event.
const CATCH_UP_MAX: u64 = 5_000;
/// The delay before a failed pull is retried.
const RETRY_DELAY: Duration = Duration::from_millis(200);

impl BrowserLoop {
    /// Opens a topic, and sends its first pull.
    pub(super) fn open_topic(&mut self, topic: &Topic) {
        self.feeds.insert(topic.clone(), Feed::new(CATCH_UP_MAX));
        self.observer.on_watch(topic);
        self.feed(topic, Feed::resume);
    }

    /// Starts a long poll for every topic, since nothing is pushed from now on.
    pub(super) fn poll_every_topic(&mut self) {
        for topic in self.feeds.keys().cloned().collect::<Vec<_>>() {
            self.feed(&topic, Feed::wait);
        }
    }

    /// Handles the answer to a pull; `None` if it failed.
    pub(super) fn on_page(&mut self, topic: Topic, page: Option<EventPage>) {
        match (page, self.feeds.get_mut(&topic)) {
            (Some(page), _) => self.feed(&topic, |feed| feed.on_page(page.into())),
            (None, Some(feed)) => {
                feed.on_pull_failed();
                self.tasks.spawn(async {
                    sleep(RETRY_DELAY).await;
                    TaskOutput::RetryPull(topic)
                });
            }
            (None, None) => {}
        }
    }

    /// Retries a failed pull. The connection learns of the failure only now: a node that answers and refuses would
    /// otherwise be asked without a pause.
    pub(super) async fn retry_pull(&mut self, topic: Topic) {
        if self.is_polling() {
            self.input(Input::PollFailed).await;
        }
        self.feed(&topic, Feed::resume);
    }

    /// Gives a topic's feed an input, and sends the pull that it asks for.
    pub(super) fn feed(&mut self, topic: &Topic, input: impl FnOnce(&mut Feed<Event>) -> Step<Event>) {
        let polling = self.is_polling();
        let Some(feed) = self.feeds.get_mut(topic) else { return };
        let mut step = input(feed);
        if polling && step.pull.is_none() {
            step.pull = feed.wait().pull;
        }
        self.observer.on_step(topic, &step);
        let Some(pull) = step.pull else { return };
        let path = endpoint::pull(topic, &pull);
        let person = self.person.clone();
        let topic = topic.clone();
        self.tasks.spawn(async move {
            let answer =
                if polling { person.try_long_poll(&path).await } else { person.try_get(&path).await };
            let page = answer.ok().filter(|answer| answer.status == 200);
            TaskOutput::Page(topic, page.map(|answer| answer.json()))
        });
    }

    fn is_polling(&self) -> bool {
        self.connection.status() == Status::Polling
    }
}
