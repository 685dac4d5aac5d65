//! `Reading`: one topic at one reader. The real `Feed` decides, and each of its steps is judged as it is taken.

use shared::{Event, Feed, Position, Pull, Seq, Step, Topic};

use super::world::World;

/// See the module.
pub struct Reading {
    /// The real thing.
    pub feed: Feed<Event>,
    /// What the page shows: applied since it last started over.
    pub applied: Vec<Event>,
    /// HeadsOf opening of the topic this is; answers to an earlier one concern nobody.
    pub number: u64,
    /// How many pulls were sent.
    pub pulls: u64,
    /// The node ended or refused the subscription.
    pub refused: bool,
    /// Somebody will try again by and by.
    pub trying_again: bool,
    was: Option<Position>,
}

impl Reading {
    /// Nothing was read yet.
    pub fn new(world: &World, number: u64) -> Reading {
        let feed = Feed::new(world.shape.catch_up_max);
        Reading {
            feed,
            applied: Vec::new(),
            number,
            pulls: 0,
            refused: false,
            trying_again: false,
            was: None,
        }
    }

    /// Does what the feed says to an input, and returns the pull that it wants.
    pub fn take(
        &mut self,
        world: &World,
        (who, topic): (&str, &Topic),
        input: impl FnOnce(&mut Feed<Event>) -> Step<Event>,
    ) -> Option<Pull> {
        let step = input(&mut self.feed);
        let at = self.feed.position();
        if step.start_over {
            self.start_over(world, (who, topic), at.as_ref());
        }
        for event in step.apply {
            self.apply(world, who, at.as_ref(), event);
        }
        self.was = at.or(self.was.take());
        self.pulls += u64::from(step.pull.is_some());
        step.pull
    }

    fn start_over(&mut self, world: &World, (who, topic): (&str, &Topic), at: Option<&Position>) {
        world.trace.note(format_args!("{who} starts over in {topic}"));
        if let (Some(was), Some(at)) = (&self.was, at) {
            world.trace.count("started over");
            let (_, all) = world.log.all(topic);
            let behind = Seq(all.len() as u64).since(was.seq);
            if was.epoch == at.epoch && behind <= world.shape.catch_up_max && !world.has_new_life() {
                let how = format!("{who} in {topic} at {} of {}", was.seq, all.len());
                world.trace.broken("nobody starts over without need", how);
            }
        }
        self.applied.clear();
    }

    fn apply(&mut self, world: &World, who: &str, at: Option<&Position>, event: Event) {
        world.trace.note(format_args!("{who} applies {} {}", event.topic, event.seq));
        let how = || format!("{who} applied {} {}", event.topic, event.seq);
        if let Some(last) = self.applied.last()
            && last.seq.next() != event.seq
        {
            world
                .trace
                .broken("events are applied in order, each once", format!("{} after {}", how(), last.seq));
        }
        let epoch = &at.expect("whoever applies is somewhere").epoch;
        if let Some(other) = world.ledger.see(epoch, &event) {
            let how = format!("{} as {}, another as {}", how(), event.key.as_str(), other.as_str());
            world.trace.broken("everybody sees the same event at the same place", how);
        }
        self.applied.push(event);
    }
}
