//! `TopicReader`: one topic at one reader. The real `Feed` decides; each of its steps is checked as it is applied.

use shared::{Event, Feed, Position, Pull, Seq, Step, Topic};

use super::world::World;

/// The feed of a topic, with the events that the page shows.
pub struct TopicReader {
    /// The feed under test.
    pub feed: Feed<Event>,
    /// The events on the page: those applied since the feed last started over.
    pub applied: Vec<Event>,
    /// The number of times that the reader has opened a topic, including this time. Answers to an earlier opening are
    /// ignored.
    pub number: u64,
    /// The number of pulls that were sent.
    pub pulls: u64,
    /// True once the node has ended or refused the subscription.
    pub refused: bool,
    /// True while a retry is scheduled.
    pub retrying: bool,
    last_position: Option<Position>,
}

impl TopicReader {
    /// Creates a reader that has read nothing yet.
    pub fn new(world: &World, number: u64) -> TopicReader {
        let feed = Feed::new(world.sizes.catch_up_max);
        TopicReader {
            feed,
            applied: Vec::new(),
            number,
            pulls: 0,
            refused: false,
            retrying: false,
            last_position: None,
        }
    }

    /// Gives the feed an input, applies its step, and returns the pull that it asks for.
    pub fn input(
        &mut self,
        world: &World,
        user: &str,
        topic: &Topic,
        input: impl FnOnce(&mut Feed<Event>) -> Step<Event>,
    ) -> Option<Pull> {
        let step = input(&mut self.feed);
        let position = self.feed.position();
        if step.start_over {
            self.start_over(world, user, topic, position.as_ref());
        }
        for event in step.apply {
            self.apply(world, user, position.as_ref(), event);
        }
        self.last_position = position.or(self.last_position.take());
        self.pulls += u64::from(step.pull.is_some());
        step.pull
    }

    fn start_over(&mut self, world: &World, user: &str, topic: &Topic, position: Option<&Position>) {
        world.trace.note(format_args!("{user} starts over in {topic}"));
        if let (Some(last), Some(position)) = (&self.last_position, position) {
            world.trace.count("started over");
            let (_, events) = world.log.all(topic);
            let behind = Seq(events.len() as u64).since(last.seq);
            let could_catch_up = last.epoch == position.epoch && behind <= world.sizes.catch_up_max;
            if could_catch_up && !world.was_restored_recently() {
                let details = format!("{user} in {topic} at {} of {}", last.seq, events.len());
                world.trace.violation("no reader starts over when it could catch up", details);
            }
        }
        self.applied.clear();
    }

    fn apply(&mut self, world: &World, user: &str, position: Option<&Position>, event: Event) {
        world.trace.note(format_args!("{user} applies {} {}", event.topic, event.seq));
        let details = || format!("{user} applied {} {}", event.topic, event.seq);
        if let Some(last) = self.applied.last()
            && last.seq.next() != event.seq
        {
            let details = format!("{} after {}", details(), last.seq);
            world.trace.violation("events are applied in order, each once", details);
        }
        let epoch = &position.expect("a feed that applies an event has a position").epoch;
        if let Some(other) = world.history.record_applied(epoch, &event) {
            let details = format!("{} as {}, another as {}", details(), event.key.as_str(), other.as_str());
            world.trace.violation("all readers see the same event at the same place", details);
        }
        self.applied.push(event);
    }
}
