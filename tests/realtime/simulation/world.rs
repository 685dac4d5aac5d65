//! `World`: everything but the readers. One log, one bus, the accounts, and the sites at which nodes run.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use shared::{Millis, Seq, Topic, UserId};

use super::accounts::SimulatedAccounts;
use super::bus::SimulatedBus;
use super::history::History;
use super::process::Process;
use super::rng::SimulationRng;
use super::sequencer::Sequencer;
use super::trace::{Trace, now};
use crate::support::{MemoryLog, probe};

/// Acknowledgements from before a restore may still arrive for this long.
const STALE_ACKS_MS: Millis = 20_000;

/// The state that all tasks of a run share.
pub struct World {
    /// The source of all randomness.
    pub rng: SimulationRng,
    /// The trace of the run.
    pub trace: Trace,
    /// The sizes and limits of the run.
    pub sizes: Sizes,
    /// The log that all nodes share.
    pub log: MemoryLog,
    /// The bus between the nodes.
    pub bus: SimulatedBus,
    /// The sign-ins and permissions.
    pub accounts: SimulatedAccounts,
    /// The acknowledgements and applied events.
    pub history: History,
    /// The topics that all readers open.
    pub topics: Vec<Topic>,
    /// The order in which tasks continue that wake at the same moment.
    pub sequencer: Sequencer,
    sites: Vec<Site>,
    restored_at: AtomicI64,
}

/// The sizes and limits of a run, small enough for every limit to be reached.
pub struct Sizes {
    /// The bound of a session's mailbox.
    pub mailbox_frames_max: u32,
    /// The most events in a page.
    pub page_events_max: u32,
    /// The widest gap for which a feed catches up.
    pub catch_up_max: u64,
    /// The number of readers.
    pub readers: u64,
    /// The number of lines that each reader writes.
    pub publications: u64,
}

/// A place at which one process runs at a time.
#[derive(Default)]
struct Site {
    running: Mutex<Option<Arc<Process>>>,
    starts: AtomicU64,
}

impl World {
    /// Creates the world that belongs to a seed. No node runs yet.
    pub fn new(seed: u64) -> World {
        let rng = SimulationRng::new(seed);
        let trace = Trace::default();
        let sizes = Sizes {
            mailbox_frames_max: rng.range(3..=8) as u32,
            page_events_max: rng.range(3..=9) as u32,
            catch_up_max: *rng.choose(&[5, 500, 500]),
            readers: rng.range(3..=6),
            publications: rng.range(6..=12),
        };
        World {
            log: MemoryLog::new(),
            bus: SimulatedBus::new(rng.clone(), trace.clone()),
            accounts: SimulatedAccounts::new(rng.clone()),
            history: History::default(),
            sequencer: Sequencer::default(),
            restored_at: AtomicI64::new(0),
            topics: ["a", "b", "c"].map(probe).into(),
            sites: (0..rng.range(1..=3)).map(|_| Site::default()).collect(),
            rng,
            trace,
            sizes,
        }
    }

    /// Returns the number of sites.
    pub fn sites(&self) -> usize {
        self.sites.len()
    }

    /// Starts a process at a site where none runs.
    pub fn start(&self, site: usize) {
        let mut running = self.sites[site].running.lock().unwrap();
        if running.is_none() {
            let start = self.sites[site].starts.fetch_add(1, Ordering::Relaxed) + 1;
            let name = format!("node{}.{start}", site + 1);
            self.trace.note(format_args!("{name} starts"));
            *running = Some(Process::start(self, name));
        }
    }

    /// Kills the process at a site. Everything in its memory is lost.
    pub fn kill(&self, site: usize) {
        if let Some(process) = self.sites[site].running.lock().unwrap().take() {
            self.trace.note(format_args!("{} is killed", process.name));
            self.trace.count("node killed");
            process.kill();
        }
    }

    /// Shuts the process at a site down gracefully.
    pub async fn stop(&self, site: usize) {
        let Some(process) = self.running(site) else { return };
        self.trace.note(format_args!("{} is asked to stop", process.name));
        self.trace.count("node stopped");
        if !process.stop().await {
            self.trace.violation("a node that is asked to stop ends", &process.name);
        }
        self.trace.note(format_args!("{} has ended", process.name));
        let mut running = self.sites[site].running.lock().unwrap();
        if running.as_ref().is_some_and(|now| Arc::ptr_eq(now, &process)) {
            *running = None;
        }
    }

    /// Ends all nodes, and replaces the log with a backup of it.
    pub fn restore_backup(&self) {
        (0..self.sites.len()).for_each(|site| self.kill(site));
        self.trace.count("backup restored");
        self.restored_at.store(now(), Ordering::Relaxed);
        let epochs: Vec<_> = self.topics.iter().map(|topic| self.log.all(topic).0).collect();
        self.log.restore(self.rng.range(0..=100) as usize);
        for (topic, epoch) in self.topics.iter().zip(epochs) {
            let (_, kept) = self.log.all(topic);
            self.trace.note(format_args!("a backup keeps {} events of {topic}", kept.len()));
            self.history.record_restore(&epoch, topic, Seq(kept.len() as u64));
        }
    }

    /// Returns true if an acknowledgement of the epoch before a restore may still arrive.
    pub fn was_restored_recently(&self) -> bool {
        let restored_at = self.restored_at.load(Ordering::Relaxed);
        restored_at > 0 && now() < restored_at + STALE_ACKS_MS
    }

    /// Takes a permission away, or gives it back, and notifies every node.
    pub async fn toggle_permission(&self, user: &UserId, topic: &Topic) {
        self.accounts.toggle_permission(user, topic);
        let allowed = self.accounts.can_read(user, topic);
        self.trace.count(if allowed { "permission returned" } else { "permission ended" });
        self.trace.note(format_args!("{user} may read {topic}: {allowed}"));
        let notifications = self.processes().into_iter().map(|process| async move {
            process.gone.run_until_cancelled(process.node.permissions_changed(topic)).await
        });
        join_all(notifications).await;
    }

    /// Chooses a site, as a load balancer does, and returns the process that runs there, if any.
    pub fn reach(&self) -> Option<Arc<Process>> {
        self.running(self.rng.range(0..=self.sites.len() as u64 - 1) as usize)
    }

    /// Returns all processes that run.
    pub fn processes(&self) -> Vec<Arc<Process>> {
        (0..self.sites.len()).filter_map(|site| self.running(site)).collect()
    }

    fn running(&self, site: usize) -> Option<Arc<Process>> {
        self.sites[site].running.lock().unwrap().clone()
    }
}
