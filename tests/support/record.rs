//! `Record`: everything that happened to a `TestBrowser`, for a test to wait for and to check.

use std::collections::BTreeMap;

use shared::{CloseReason, Event, Seq, ServerFrame, Status, Step, Topic};
use tokio::sync::watch;

use super::ClientObserver;

/// The history of a browser, in the order in which things happened.
#[derive(Debug, Clone)]
pub struct Record {
    /// The status of the connection.
    pub status: Status,
    /// The topics that the browser has watched.
    pub topics: BTreeMap<Topic, TopicRecord>,
    /// All frames except events.
    pub frames: Vec<ServerFrame>,
    /// The number of sockets that were opened.
    pub opened: usize,
    /// The reasons for which sockets were closed.
    pub closed: Vec<CloseReason>,
}

/// The history of one topic.
#[derive(Debug, Clone, Default)]
pub struct TopicRecord {
    /// The events that were applied since the feed last started over.
    pub events: Vec<Event>,
    /// The number of pulls.
    pub pulls: usize,
    /// The number of times that the feed started over: once, for the first page, unless more happened.
    pub started_over: usize,
    /// The number of heads that arrived. The first one answers the subscription.
    pub heads: usize,
    /// The number of heads that arrived after pushed events: with those the node says "you missed some".
    pub late_heads: usize,
    /// The number of events that arrived through the socket.
    pub pushed: usize,
}

impl Default for Record {
    fn default() -> Record {
        Record {
            status: Status::Stopped,
            topics: BTreeMap::new(),
            frames: Vec::new(),
            opened: 0,
            closed: Vec::new(),
        }
    }
}

/// Each change wakes the test that waits for it.
impl ClientObserver for watch::Sender<Record> {
    fn on_status(&mut self, status: Status) {
        self.send_modify(|record| record.status = status);
    }

    fn on_opened(&mut self) {
        self.send_modify(|record| record.opened += 1);
    }

    fn on_closed(&mut self, reason: CloseReason) {
        self.send_modify(|record| record.closed.push(reason));
    }

    fn on_frame(&mut self, frame: &ServerFrame) {
        self.send_modify(|record| record.add_frame(frame));
    }

    fn on_watch(&mut self, topic: &Topic) {
        self.send_modify(|record| _ = record.topics.insert(topic.clone(), TopicRecord::default()));
    }

    fn on_step(&mut self, topic: &Topic, step: &Step<Event>) {
        self.send_modify(|record| record.topics.entry(topic.clone()).or_default().apply(step));
    }
}

impl Record {
    /// Returns the name and the number of sessions of each member in the latest presence frame, sorted.
    pub fn members(&self) -> Vec<(&str, u32)> {
        let latest = self.frames.iter().rev().find_map(|frame| match frame {
            ServerFrame::Presence { members, .. } => Some(members),
            _ => None,
        });
        let Some(latest) = latest else { return Vec::new() };
        let mut members: Vec<_> =
            latest.iter().map(|member| (member.name.as_str(), member.sessions)).collect();
        members.sort();
        members
    }

    fn add_frame(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Event(event) => self.topics.entry(event.topic.clone()).or_default().pushed += 1,
            ServerFrame::Head { topic, .. } => {
                let record = self.topics.entry(topic.clone()).or_default();
                record.heads += 1;
                record.late_heads += usize::from(record.pushed > 0);
                self.frames.push(frame.clone());
            }
            other => self.frames.push(other.clone()),
        }
    }
}

impl TopicRecord {
    fn apply(&mut self, step: &Step<Event>) {
        if step.start_over {
            self.events.clear();
            self.started_over += 1;
        }
        self.events.extend(step.apply.iter().cloned());
        self.pulls += usize::from(step.pull.is_some());
    }

    /// Returns the seq of the last applied event.
    pub fn seq(&self) -> Seq {
        self.events.last().map_or(Seq::ZERO, |event| event.seq)
    }

    /// Returns the seqs of the applied events, in order.
    pub fn seqs(&self) -> Vec<u64> {
        self.events.iter().map(|event| event.seq.0).collect()
    }

    /// Returns true once the first page was applied.
    pub fn has_first_page(&self) -> bool {
        self.started_over > 0
    }

    /// Returns true once the first page was applied and the subscription was answered.
    pub fn is_live(&self) -> bool {
        self.has_first_page() && self.heads > 0
    }
}
