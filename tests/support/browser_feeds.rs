//! The feeds of a `TestBrowser`, one for each topic: what is applied, and the pulls, which wait at the node while no
//! socket comes through.

use std::time::Duration;

use shared::{Event, EventPage, Feed, Input, Status, Step, Topic, endpoint};
use tokio::time::sleep;

use super::browser_loop::{Done, Loop};

/// The gaps that the probe's kind of topic allows: a test wants every event.
const CATCH_UP_MAX: u64 = 5_000;
/// How soon a pull that failed is tried again.
const PULL_AGAIN: Duration = Duration::from_millis(200);

impl Loop {
    /// Opens a topic with its first pull.
    pub(super) fn begin(&mut self, topic: &Topic) {
        self.feeds.insert(topic.clone(), Feed::new(CATCH_UP_MAX));
        self.witness.on_watch(topic);
        self.feed(topic, Feed::resume);
    }

    /// From now on there is no push: one request for each topic waits at the node.
    pub(super) fn wait_at_every_topic(&mut self) {
        for topic in self.feeds.keys().cloned().collect::<Vec<_>>() {
            self.feed(&topic, Feed::wait);
        }
    }

    /// The answer to a pull, or none.
    pub(super) fn on_page(&mut self, topic: Topic, page: Option<EventPage>) {
        match (page, self.feeds.get_mut(&topic)) {
            (Some(page), _) => self.feed(&topic, |feed| feed.on_page(page.into())),
            (None, Some(feed)) => {
                feed.on_pull_failed();
                self.beside.spawn(async {
                    sleep(PULL_AGAIN).await;
                    Done::PullAgain(topic)
                });
            }
            (None, None) => {}
        }
    }

    /// A moment after a pull has failed. Told only now, so that a node that answers and refuses is not asked on and on.
    pub(super) async fn pull_again(&mut self, topic: Topic) {
        if self.is_polling() {
            self.tell(Input::PollFailed).await;
        }
        self.feed(&topic, Feed::resume);
    }

    /// Tells a topic's feed something, and does what it says.
    pub(super) fn feed(&mut self, topic: &Topic, input: impl FnOnce(&mut Feed<Event>) -> Step<Event>) {
        let polling = self.is_polling();
        let Some(feed) = self.feeds.get_mut(topic) else { return };
        let mut step = input(feed);
        if polling && step.pull.is_none() {
            step.pull = feed.wait().pull;
        }
        self.witness.on_step(topic, &step);
        let Some(pull) = step.pull else { return };
        let (path, person, topic) = (endpoint::pull(topic, &pull), self.person.clone(), topic.clone());
        self.beside.spawn(async move {
            let answer = if polling { person.try_wait(&path).await } else { person.try_get(&path).await };
            let page = answer.ok().filter(|answer| answer.status == 200);
            Done::Page(topic, page.map(|answer| answer.json()))
        });
    }

    fn is_polling(&self) -> bool {
        self.connection.status() == Status::Polling
    }
}
