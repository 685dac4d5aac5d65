//! `World`: all that is not a reader. One log, one bus, the people, and the sites where nodes run, or do not.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use shared::{Millis, Seq, Topic, UserId};

use super::bus::SimulatedBus;
use super::chance::Chance;
use super::ledger::Ledger;
use super::people::People;
use super::process::Process;
use super::trace::{Trace, now};
use super::turnstile::Turnstile;
use crate::support::{MemoryLog, probe};

/// An acknowledgement of an earlier life of the log may be heard of for so long after that life ended.
const OLD_WORDS_MS: Millis = 20_000;

/// See the module.
pub struct World {
    /// What decides.
    pub chance: Chance,
    /// What happened.
    pub trace: Trace,
    /// How large everything is.
    pub shape: Shape,
    /// The truth.
    pub log: MemoryLog,
    /// The link between the nodes.
    pub bus: SimulatedBus,
    /// Who may.
    pub people: People,
    /// What was promised.
    pub ledger: Ledger,
    /// What is talked about.
    pub topics: Vec<Topic>,
    /// What makes a seed replay.
    pub turnstile: Turnstile,
    sites: Vec<Site>,
    restored_at: AtomicI64,
}

/// How large everything is; small enough that every bound is met.
pub struct Shape {
    /// Of one session's mailbox.
    pub mailbox_frames_max: u32,
    /// Of one pull.
    pub page_events_max: u32,
    /// Of the readers' feeds.
    pub catch_up_max: u64,
    /// How many people there are.
    pub readers: u64,
    /// How much each of them writes.
    pub posts: u64,
}

/// A place where one process runs at a time.
#[derive(Default)]
struct Site {
    running: Mutex<Option<Arc<Process>>>,
    lives: AtomicU64,
}

impl World {
    /// The world that this seed makes. Nothing runs yet.
    pub fn new(seed: u64) -> World {
        let (chance, trace) = (Chance::new(seed), Trace::default());
        let shape = Shape {
            mailbox_frames_max: chance.between(3..=8) as u32,
            page_events_max: chance.between(3..=9) as u32,
            catch_up_max: *chance.pick(&[5, 500, 500]),
            readers: chance.between(3..=6),
            posts: chance.between(6..=12),
        };
        World {
            log: MemoryLog::new(),
            bus: SimulatedBus::new(chance.clone(), trace.clone()),
            people: People::new(chance.clone()),
            ledger: Ledger::default(),
            turnstile: Turnstile::default(),
            restored_at: AtomicI64::new(0),
            topics: ["a", "b", "c"].map(probe).into(),
            sites: (0..chance.between(1..=3)).map(|_| Site::default()).collect(),
            chance,
            trace,
            shape,
        }
    }

    /// How many sites there are.
    pub fn sites(&self) -> usize {
        self.sites.len()
    }

    /// Starts a process where none runs.
    pub fn start(&self, site: usize) {
        let mut running = self.sites[site].running.lock().unwrap();
        if running.is_none() {
            let life = self.sites[site].lives.fetch_add(1, Ordering::Relaxed) + 1;
            let name = format!("node{}.{life}", site + 1);
            self.trace.note(format_args!("{name} starts"));
            *running = Some(Process::start(self, name));
        }
    }

    /// Kills what runs there: everything in memory is gone.
    pub fn kill(&self, site: usize) {
        if let Some(process) = self.sites[site].running.lock().unwrap().take() {
            self.trace.note(format_args!("{} is killed", process.name));
            self.trace.count("node killed");
            process.kill();
        }
    }

    /// Stops what runs there in good order.
    pub async fn stop(&self, site: usize) {
        let Some(process) = self.running(site) else { return };
        self.trace.note(format_args!("{} is told to stop", process.name));
        self.trace.count("node stopped");
        if !process.stop().await {
            self.trace.broken("a node that is told to stop ends", &process.name);
        }
        self.trace.note(format_args!("{} has ended", process.name));
        let mut running = self.sites[site].running.lock().unwrap();
        if running.as_ref().is_some_and(|now| Arc::ptr_eq(now, &process)) {
            *running = None;
        }
    }

    /// All nodes end, and a backup of the log takes its place.
    pub fn restore_backup(&self) {
        (0..self.sites.len()).for_each(|site| self.kill(site));
        self.trace.count("backup restored");
        self.restored_at.store(now(), Ordering::Relaxed);
        let before: Vec<_> = self.topics.iter().map(|topic| self.log.all(topic).0).collect();
        self.log.restore(self.chance.between(0..=100) as usize);
        for (topic, epoch) in self.topics.iter().zip(before) {
            let (_, kept) = self.log.all(topic);
            self.trace.note(format_args!("a backup keeps {} events of {topic}", kept.len()));
            self.ledger.keep(&epoch, topic, Seq(kept.len() as u64));
        }
    }

    /// Whether the log began a new life so lately that a word of the old one may still be on its way.
    pub fn has_new_life(&self) -> bool {
        let restored_at = self.restored_at.load(Ordering::Relaxed);
        restored_at > 0 && now() < restored_at + OLD_WORDS_MS
    }

    /// A permission ends or returns, and every node hears of it.
    pub async fn flip(&self, who: &UserId, topic: &Topic) {
        self.people.flip(who, topic);
        let may = self.people.may(who, topic);
        self.trace.count(if may { "permission returned" } else { "permission ended" });
        self.trace.note(format_args!("{who} may read {topic}: {may}"));
        let telling = self.processes().into_iter().map(|process| async move {
            process.gone.run_until_cancelled(process.node.permissions_changed(topic)).await
        });
        join_all(telling).await;
    }

    /// Where the balancer sends a request: anywhere, also where nothing runs.
    pub fn reach(&self) -> Option<Arc<Process>> {
        self.running(self.chance.between(0..=self.sites.len() as u64 - 1) as usize)
    }

    /// Every process that runs.
    pub fn processes(&self) -> Vec<Arc<Process>> {
        (0..self.sites.len()).filter_map(|site| self.running(site)).collect()
    }

    fn running(&self, site: usize) -> Option<Arc<Process>> {
        self.sites[site].running.lock().unwrap().clone()
    }
}
