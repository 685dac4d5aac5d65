//! One run: faults for a while, then peace, then judgement.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use shared::Status;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::invariants::{judge, unsettled};
use super::reader::Reader;
use super::seeds::again;
use super::trace::{self, Noted, now};
use super::whims;
use super::world::World;
use super::writer;

/// Once all faults are over, so long may it take until everybody has everything.
const SETTLE_MS_MAX: i64 = 120_000;
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Then nothing needs to be asked for any more for so long.
const QUIET: Duration = Duration::from_secs(12);
/// Until then no connection is lost any more.
const LOOKS_MAX: usize = 8;

/// What a seed came to.
pub struct Outcome {
    /// All that was noted.
    pub noted: Noted,
    /// The same for the same run.
    pub fingerprint: u64,
}

/// Plays the run that this seed is.
pub fn play(seed: u64) -> Outcome {
    let _played = Played(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let noted = runtime.block_on(async {
        trace::begin();
        let world = Arc::new(World::new(seed));
        run(&world).await;
        world.trace.take()
    });
    let mut hasher = DefaultHasher::new();
    noted.lines.hash(&mut hasher);
    Outcome { noted, fingerprint: hasher.finish() }
}

/// Names the seed when something panics in it.
struct Played(u64);

impl Drop for Played {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("seed {} came to no end; play it again: {}", self.0, again(self.0));
        }
    }
}

async fn run(world: &Arc<World>) {
    (0..world.sites()).for_each(|site| world.start(site));
    let names = (1..=world.shape.readers).map(|number| format!("reader{number}"));
    let readers: Vec<_> = names.map(|name| Reader::start(world, &name)).collect();
    let (mut faults, mut writers) = (JoinSet::new(), JoinSet::new());
    for reader in &readers {
        world.topics.iter().for_each(|topic| reader.opens(topic));
        faults.spawn(whims::befall_reader(reader.clone()));
        writers.spawn(writer::write(reader.clone()));
    }
    for site in 0..world.sites() {
        faults.spawn(whims::befall_site(world.clone(), site));
    }
    faults.spawn(whims::befall_permissions(world.clone(), readers.clone()));
    faults.spawn(whims::befall_log(world.clone(), readers.clone()));
    faults.join_all().await;
    world.chance.heal();
    world.trace.note("peace");
    (0..world.sites()).for_each(|site| world.start(site));
    settle(world, &readers, &mut writers).await;
    writer::flood(&readers).await;
    settle(world, &readers, &mut writers).await;
    stays_quiet(world, &readers).await;
    judge(world, &readers);
}

async fn settle(world: &World, readers: &[Arc<Reader>], writers: &mut JoinSet<()>) {
    let until = now() + SETTLE_MS_MAX;
    loop {
        while writers.try_join_next().is_some() {}
        let missing = if writers.is_empty() {
            readers.iter().find_map(|reader| unsettled(world, reader))
        } else {
            Some(format!("{} still write", writers.len()))
        };
        let Some(missing) = missing else { break };
        if now() > until {
            return world.trace.broken("everybody ends with everything", missing);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Once everybody has everything and no socket is opened any more, nobody asks for anything.
async fn stays_quiet(world: &World, readers: &[Arc<Reader>]) {
    let counts = || ["socket opened", "pull", "log read"].map(|kind| world.trace.counted(kind));
    let (mut before, mut is_calm) = (counts(), false);
    for _ in 0..LOOKS_MAX {
        sleep(QUIET).await;
        let after = counts();
        if std::mem::replace(&mut is_calm, after[0] == before[0]) && is_calm {
            let waits = readers.iter().any(|reader| reader.status() == Status::Polling);
            // Who polls asks for ever, and so does who was refused.
            if before != after && !waits && !world.people.somebody_is_denied() {
                let how = format!("{before:?} became {after:?}");
                world.trace.broken("nobody asks when nothing is missing", how);
            }
            return;
        }
        before = after;
    }
    world.trace.broken("connections that work stay", "sockets are opened again and again");
}
