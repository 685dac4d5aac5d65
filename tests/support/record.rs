//! `Record`: everything that happened to a `TestBrowser`, for a test to wait on and to judge.

use std::collections::BTreeMap;

use shared::{CloseReason, Event, Seq, ServerFrame, Status, Step, Topic};

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

impl Record {
    /// Notes a frame that came.
    pub fn note(&mut self, frame: &ServerFrame) {
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

    /// Does to the page what a feed says.
    pub fn take(&mut self, topic: &Topic, step: &Step<Event>) {
        let reading = self.topics.entry(topic.clone()).or_default();
        if step.start_over {
            reading.events.clear();
            reading.started_over += 1;
        }
        reading.events.extend(step.apply.iter().cloned());
        reading.pulls += usize::from(step.pull.is_some());
    }
}

impl Reading {
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
