//! `Timeline`: the messages of a room, folded from its events.
//!
//! They are kept in blocks of 50 neighbouring seqs, so that one more message changes one block, however many there are.

use std::collections::VecDeque;
use std::sync::Arc;

use shared::features::chat::{ChatEvent, Room};
use shared::{Event, Identity, Key, Millis, Seq, UserId};

use crate::realtime::Projection;

/// The number of seqs in one block.
const BLOCK_SEQS: u64 = 50;

/// The loaded messages of a room, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    /// No block is empty.
    blocks: VecDeque<Block>,
}

/// Neighbouring messages. Cheap to clone, and to compare with an earlier clone of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The number among all blocks of the room, loaded or not: seq / 50.
    pub(super) number: u64,
    /// Oldest first.
    pub(super) messages: Arc<Vec<Arc<Message>>>,
}

/// A message. One that is not in the log yet has seq 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) seq: Seq,
    pub(super) at: Millis,
    pub(super) author: Identity,
    pub(super) key: Key,
    pub(super) text: String,
}

impl Projection for Timeline {
    type Kind = Room;

    fn apply(&mut self, event: &Event, payload: ChatEvent) {
        let message = message_of(event, payload);
        let number = block_number(event.seq);
        match self.blocks.back_mut().filter(|block| block.number == number) {
            Some(block) => Arc::make_mut(&mut block.messages).push(message),
            None => self.blocks.push_back(Block { number, messages: Arc::new(vec![message]) }),
        }
    }

    fn apply_older(&mut self, event: &Event, payload: ChatEvent) {
        let message = message_of(event, payload);
        let number = block_number(event.seq);
        match self.blocks.front_mut().filter(|block| block.number == number) {
            Some(block) => Arc::make_mut(&mut block.messages).insert(0, message),
            None => self.blocks.push_front(Block { number, messages: Arc::new(vec![message]) }),
        }
    }

    fn forget_before(&mut self, seq: Seq) {
        self.blocks.retain_mut(|block| {
            if block.messages.first().is_some_and(|first| first.seq < seq) {
                Arc::make_mut(&mut block.messages).retain(|message| message.seq >= seq);
            }
            !block.messages.is_empty()
        });
    }
}

fn block_number(seq: Seq) -> u64 {
    seq.0 / BLOCK_SEQS
}

fn message_of(event: &Event, ChatEvent::Posted { text }: ChatEvent) -> Arc<Message> {
    Arc::new(Message {
        seq: event.seq,
        at: event.at,
        author: event.author.clone(),
        key: event.key.clone(),
        text: text.into(),
    })
}

impl Timeline {
    /// The numbers of the loaded blocks, oldest first.
    pub(super) fn block_numbers(&self) -> Vec<u64> {
        self.blocks.iter().map(|block| block.number).collect()
    }

    /// The block of that number, and the message above it.
    pub(super) fn block(&self, number: u64) -> Option<(Option<Arc<Message>>, Block)> {
        let index = self.blocks.binary_search_by_key(&number, |block| block.number).ok()?;
        let block_above = index.checked_sub(1).and_then(|above| self.blocks.get(above));
        let above = block_above.and_then(|block| block.messages.last().cloned());
        Some((above, self.blocks.get(index)?.clone()))
    }

    /// The newest message.
    pub(super) fn last(&self) -> Option<&Arc<Message>> {
        self.blocks.back()?.messages.last()
    }

    /// The newest loaded seq; zero if no message is loaded.
    pub(super) fn newest(&self) -> Seq {
        self.last().map_or(Seq::ZERO, |message| message.seq)
    }

    /// The oldest loaded seq; zero if no message is loaded.
    pub(super) fn oldest(&self) -> Seq {
        let first = self.blocks.front().and_then(|block| block.messages.first());
        first.map_or(Seq::ZERO, |message| message.seq)
    }

    /// The seq before which messages can be forgotten. `None` while no more than `max` are loaded.
    ///
    /// It is the start of a block, and at least `kept` messages follow it.
    pub(super) fn forgettable_before(&self, kept: usize, max: usize) -> Option<Seq> {
        let count: usize = self.blocks.iter().map(|block| block.messages.len()).sum();
        if count <= max {
            return None;
        }
        let mut rest = count;
        let start = self.blocks.iter().find(|block| {
            rest -= block.messages.len();
            rest < kept
        });
        start.map(|block| Seq(block.number * BLOCK_SEQS))
    }

    /// True if no message is loaded.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The loaded messages after `seq`, oldest first.
    pub(super) fn after(&self, seq: Seq) -> impl Iterator<Item = &Arc<Message>> {
        let start = self.blocks.partition_point(|block| block.number < block_number(seq));
        let messages = self.blocks.range(start..).flat_map(|block| block.messages.iter());
        messages.filter(move |message| message.seq > seq)
    }

    /// The loaded messages of others after `seq`, oldest first.
    pub(super) fn of_others_after(&self, seq: Seq, me: &UserId) -> impl Iterator<Item = &Arc<Message>> {
        self.after(seq).filter(|message| message.author.id != *me)
    }

    /// The first message of others after `seq`. `None` if an earlier one may exist that is not loaded.
    pub(super) fn first_of_others_after(&self, seq: Seq, me: &UserId) -> Option<Seq> {
        let are_all_loaded = self.oldest() <= seq.next();
        let first = self.of_others_after(seq, me).next().filter(|_| are_all_loaded)?;
        Some(first.seq)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use shared::features::chat::{MessageText, room_topic};
    use shared::{DisplayName, Payload};

    use super::*;

    pub fn identity(name: &str) -> Identity {
        Identity { id: UserId(format!("u_{name}").into()), name: DisplayName::parse(name).unwrap() }
    }

    pub fn event_of(seq: u64, author: &str, at: Millis) -> (Event, ChatEvent) {
        let payload = ChatEvent::Posted { text: MessageText::parse(&format!("message {seq}")).unwrap() };
        let event = Event {
            topic: room_topic("general").unwrap(),
            seq: Seq(seq),
            at,
            author: identity(author),
            key: Key::try_from(format!("k{seq}")).unwrap(),
            payload: Payload::of(&payload).unwrap(),
        };
        (event, payload)
    }

    pub fn timeline(messages: impl IntoIterator<Item = (u64, &'static str, Millis)>) -> Timeline {
        let mut timeline = Timeline::default();
        for (seq, author, at) in messages {
            let (event, payload) = event_of(seq, author, at);
            timeline.apply(&event, payload);
        }
        timeline
    }

    fn seqs<'a>(messages: impl Iterator<Item = &'a Arc<Message>>) -> Vec<u64> {
        messages.map(|message| message.seq.0).collect()
    }

    #[test]
    fn another_message_changes_only_the_last_block() {
        let before = timeline((1..=120).map(|seq| (seq, "bob", 0)));
        let mut after = before.clone();
        let (event, payload) = event_of(121, "bob", 0);
        after.apply(&event, payload);
        let block = |timeline: &Timeline, number| timeline.block(number).unwrap().1.messages;
        assert_eq!(after.block_numbers(), [0, 1, 2]);
        for number in [0, 1] {
            assert!(Arc::ptr_eq(&block(&before, number), &block(&after, number)));
        }
        assert_eq!((block(&before, 2).len(), block(&after, 2).len()), (21, 22));
    }

    #[test]
    fn older_messages_are_added_at_the_front_of_their_block() {
        let mut timeline = timeline([(52, "bob", 0)]);
        for seq in [51, 50, 49] {
            let (event, payload) = event_of(seq, "bob", 0);
            timeline.apply_older(&event, payload);
        }
        assert_eq!(timeline.block_numbers(), [0, 1]);
        assert_eq!(seqs(timeline.after(Seq::ZERO)), [49, 50, 51, 52]);
        let (above, block) = timeline.block(1).unwrap();
        assert_eq!((above.unwrap().seq, block.messages[0].seq), (Seq(49), Seq(50)));
        assert_eq!((timeline.oldest(), timeline.newest()), (Seq(49), Seq(52)));
    }

    #[test]
    fn whole_blocks_are_forgotten_once_too_many_messages_are_loaded() {
        let mut timeline = timeline((1..=260).map(|seq| (seq, "bob", 0)));
        assert_eq!(timeline.forgettable_before(200, 260), None);
        assert_eq!(timeline.forgettable_before(200, 250), Some(Seq(50)));
        timeline.forget_before(Seq(50));
        assert_eq!(timeline.block_numbers(), [1, 2, 3, 4, 5]);
        assert_eq!(timeline.oldest(), Seq(50));
        timeline.forget_before(Seq(101));
        assert_eq!(timeline.oldest(), Seq(101));
    }

    #[test]
    fn the_first_unread_message_is_of_another_author_and_follows_only_loaded_ones() {
        let ada = identity("ada").id;
        let timeline = timeline([(10, "bob", 0), (11, "ada", 0), (12, "bob", 0)]);
        assert_eq!(timeline.first_of_others_after(Seq(10), &ada), Some(Seq(12)));
        assert_eq!(timeline.first_of_others_after(Seq(9), &ada), Some(Seq(10)));
        assert_eq!(timeline.first_of_others_after(Seq(8), &ada), None);
        assert_eq!(timeline.first_of_others_after(Seq(12), &ada), None);
        assert_eq!(seqs(timeline.of_others_after(Seq(9), &ada)), [10, 12]);
    }
}
