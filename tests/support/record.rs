//! `Record`: everything that happened to a `TestBrowser`, for a test to wait on and to judge.

use std::collections::BTreeMap;

use shared::{CloseReason, Event, Seq, ServerFrame, Status, Step, Topic};
use tokio::sync::watch;

use super::Witness;

/// In the order in which it happened.
#[derive(Debug, Clone)]
pub struct Record {
    /// What its badge shows.
    pub status: Status,
    /// Of each topic it watches.
    pub topics: BTreeMap<Topic, Reading>,
    /// Every frame but events, as it came.
    pub frames: Vec<ServerFrame>,
    /// How often a socket was opened.
    pub opened: usize,
    /// Why sockets ended.
    pub closed: Vec<CloseReason>,
}

/// One topic, as the page shows it.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Applied since the page last started over.
    pub events: Vec<Event>,
    /// How often it asked the log.
    pub pulls: usize,
    /// How often it started over: once, for the first page, unless more happened.
    pub started_over: usize,
    /// Heads that came: the first one answers the subscription.
    pub heads: usize,
    /// Heads that came after events had been pushed: the node's word for "you missed some".
    pub heads_in_mid_stream: usize,
    /// Events that came through the socket.
    pub pushed: usize,
}

impl Default for Record {
    fn default() -> Record {
        let (topics, frames, closed) = (BTreeMap::new(), Vec::new(), Vec::new());
        Record { status: Status::Stopped, topics, frames, opened: 0, closed }
    }
}

/// Each change wakes the test that waits for it.
impl Witness for watch::Sender<Record> {
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
        self.send_modify(|record| record.note(frame));
    }

    fn on_watch(&mut self, topic: &Topic) {
        self.send_modify(|record| _ = record.topics.insert(topic.clone(), Reading::default()));
    }

    fn on_step(&mut self, topic: &Topic, step: &Step<Event>) {
        self.send_modify(|record| record.topics.entry(topic.clone()).or_default().take(step));
    }
}

impl Record {
    /// The names of those who are here, as it was told last, with the number of their windows; in order.
    pub fn members(&self) -> Vec<(&str, u32)> {
        let last = self.frames.iter().rev().find_map(|frame| match frame {
            ServerFrame::Presence { members, .. } => Some(members),
            _ => None,
        });
        let told = last.into_iter().flatten();
        let mut members: Vec<_> = told.map(|member| (member.name.as_str(), member.sessions)).collect();
        members.sort();
        members
    }

    fn note(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Event(event) => self.topics.entry(event.topic.clone()).or_default().pushed += 1,
            ServerFrame::Head { topic, .. } => {
                let reading = self.topics.entry(topic.clone()).or_default();
                reading.heads += 1;
                reading.heads_in_mid_stream += usize::from(reading.pushed > 0);
                self.frames.push(frame.clone());
            }
            other => self.frames.push(other.clone()),
        }
    }
}

impl Reading {
    /// Does to the page what a feed says.
    fn take(&mut self, step: &Step<Event>) {
        if step.start_over {
            self.events.clear();
            self.started_over += 1;
        }
        self.events.extend(step.apply.iter().cloned());
        self.pulls += usize::from(step.pull.is_some());
    }

    /// Where it stands.
    pub fn seq(&self) -> Seq {
        self.events.last().map_or(Seq::ZERO, |event| event.seq)
    }

    /// The seqs applied, in order.
    pub fn seqs(&self) -> Vec<u64> {
        self.events.iter().map(|event| event.seq.0).collect()
    }

    /// Whether it has its first page.
    pub fn has_begun(&self) -> bool {
        self.started_over > 0
    }

    /// Whether it was subscribed too.
    pub fn is_live(&self) -> bool {
        self.has_begun() && self.heads > 0
    }
}
