//! One run: a phase with faults, then a phase without, then the check of every promise.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use shared::Status;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::faults;
use super::invariants::{check_end, unsettled};
use super::reader::Reader;
use super::seeds::replay_command;
use super::trace::{self, TraceData, now};
use super::world::World;
use super::writer;

/// Once faults have stopped, every reader must have every event within this time.
const SETTLE_MS_MAX: i64 = 120_000;
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The time over which requests are counted to see that readers ask for nothing any more.
const QUIET: Duration = Duration::from_secs(12);
/// Sockets must stay open by the time of this many looks.
const LOOKS_MAX: usize = 8;

/// The result of a run.
pub struct RunResult {
    /// The trace of the run.
    pub trace: TraceData,
    /// A hash of the trace: equal for equal runs.
    pub fingerprint: u64,
}

pub fn run_seed(seed: u64) -> RunResult {
    let _guard = SeedGuard(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let trace = runtime.block_on(async {
        trace::begin();
        let world = Arc::new(World::new(seed));
        run(&world).await;
        world.trace.take()
    });
    let mut hasher = DefaultHasher::new();
    trace.lines.hash(&mut hasher);
    RunResult { trace, fingerprint: hasher.finish() }
}

/// Prints the seed if its run panics.
struct SeedGuard(u64);

impl Drop for SeedGuard {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("seed {} panicked; to run it again: {}", self.0, replay_command(self.0));
        }
    }
}

async fn run(world: &Arc<World>) {
    (0..world.sites()).for_each(|site| world.start(site));
    let names = (1..=world.sizes.readers).map(|number| format!("reader{number}"));
    let readers: Vec<_> = names.map(|name| Reader::start(world, &name)).collect();
    let mut faults = JoinSet::new();
    let mut writers = JoinSet::new();
    for reader in &readers {
        world.topics.iter().for_each(|topic| reader.open_topic(topic));
        faults.spawn(faults::inject_reader_faults(reader.clone()));
        writers.spawn(writer::write(reader.clone()));
    }
    for site in 0..world.sites() {
        faults.spawn(faults::inject_node_faults(world.clone(), site));
    }
    faults.spawn(faults::toggle_permissions(world.clone(), readers.clone()));
    faults.spawn(faults::restore_backup_sometimes(world.clone(), readers.clone()));
    faults.join_all().await;
    world.rng.stop_faults();
    world.trace.note("faults stop");
    (0..world.sites()).for_each(|site| world.start(site));
    wait_until_settled(world, &readers, &mut writers).await;
    writer::flood(&readers).await;
    wait_until_settled(world, &readers, &mut writers).await;
    check_quiet(world, &readers).await;
    check_end(world, &readers);
}

async fn wait_until_settled(world: &World, readers: &[Arc<Reader>], writers: &mut JoinSet<()>) {
    let deadline = now() + SETTLE_MS_MAX;
    loop {
        while writers.try_join_next().is_some() {}
        let missing = if writers.is_empty() {
            readers.iter().find_map(|reader| unsettled(world, reader))
        } else {
            Some(format!("{} writers are not done", writers.len()))
        };
        let Some(missing) = missing else { break };
        if now() > deadline {
            return world.trace.violation("every reader gets every event in the end", missing);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Checks that nobody sends a request once every reader has every event and no new sockets are opened.
async fn check_quiet(world: &World, readers: &[Arc<Reader>]) {
    let counts = || ["socket opened", "pull", "log read"].map(|kind| world.trace.count_of(kind));
    let mut before = counts();
    let mut sockets_stay = false;
    for _ in 0..LOOKS_MAX {
        sleep(QUIET).await;
        let after = counts();
        if std::mem::replace(&mut sockets_stay, after[0] == before[0]) && sockets_stay {
            let any_polls = readers.iter().any(|reader| reader.status() == Status::Polling);
            // A reader that polls asks for ever, and so does one that is refused.
            if before != after && !any_polls && !world.accounts.anyone_is_denied() {
                let details = format!("{before:?} became {after:?}");
                world.trace.violation("nobody sends requests when nothing is missing", details);
            }
            return;
        }
        before = after;
    }
    world.trace.violation("connections that work stay open", "sockets are opened again and again");
}
