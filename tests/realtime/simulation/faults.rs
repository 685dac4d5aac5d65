//! The faults that hit readers, nodes, permissions and the log until the fault phase of a run is over. Each of them
//! ends again.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared::{Input, Topic};
use tokio::time::sleep;

use super::reader::Reader;
use super::trace::now;
use super::world::World;

/// No fault begins after this time.
const FAULTS_UNTIL_MS: i64 = 40_000;
/// On the simulated clock, all nodes are down for this long while the log is restored.
const RESTORE_DOWNTIME: Duration = Duration::from_millis(200);

/// Hits one reader with one fault after the other.
pub async fn inject_reader_faults(reader: Arc<Reader>) {
    let rng = reader.world().rng.clone();
    if rng.one_in(5) {
        forbid_sockets(&reader, 40_000..=60_000).await;
    }
    loop {
        rng.sleep(500..=8_000).await;
        if now() > FAULTS_UNTIL_MS {
            return;
        }
        match rng.range(1..=9) {
            1 | 2 => stall(&reader).await,
            3 => cut(&reader),
            4 => lose_network(&reader).await,
            5 => hide(&reader).await,
            6 | 7 => leave_a_topic(&reader).await,
            8 => sign_out_elsewhere(&reader),
            _ => reader.input(Input::ReconnectNow),
        }
    }
}

async fn stall(reader: &Arc<Reader>) {
    note_fault(reader, "stops reading");
    reader.network.set_reading(false);
    reader.world().rng.sleep(500..=9_000).await;
    reader.network.set_reading(true);
}

fn cut(reader: &Arc<Reader>) {
    note_fault(reader, "is cut off");
    reader.network.cut();
}

/// Takes the network away for a while. The browser usually notices, but not always.
async fn lose_network(reader: &Arc<Reader>) {
    let rng = &reader.world().rng;
    let is_noticed = !rng.one_in(4);
    note_fault(reader, "goes offline");
    reader.network.set_online(false);
    let notify_browser = |online| {
        if is_noticed {
            reader.input(Input::Online(online))
        }
    };
    notify_browser(false);
    rng.sleep(200..=12_000).await;
    reader.network.set_online(true);
    notify_browser(true);
}

async fn hide(reader: &Arc<Reader>) {
    note_fault(reader, "hides the page");
    reader.input(Input::Visible(false));
    if reader.world().rng.one_in(2) {
        reader.network.cut();
    }
    reader.world().rng.sleep(1_000..=15_000).await;
    reader.input(Input::Visible(true));
}

async fn leave_a_topic(reader: &Arc<Reader>) {
    let world = reader.world();
    let topic = world.rng.choose(&world.topics);
    note_fault(reader, "leaves a topic");
    reader.leave_topic(topic);
    world.rng.sleep(0..=4_000).await;
    reader.open_topic(topic);
}

/// Signs a reader out. They sign in again once their page shows it.
fn sign_out_elsewhere(reader: &Arc<Reader>) {
    note_fault(reader, "is signed out elsewhere");
    let world = reader.world();
    let visitor = reader.visitor();
    world.accounts.sign_out(&visitor.identity.id);
    world.processes().iter().for_each(|process| process.node.end_sign_in(visitor.sign_in));
}

async fn forbid_sockets(reader: &Arc<Reader>, millis: RangeInclusive<u64>) {
    note_fault(reader, "is behind a proxy that forbids sockets");
    reader.network.forbids_sockets.store(true, Ordering::Relaxed);
    reader.network.cut();
    reader.world().rng.sleep(millis).await;
    reader.network.forbids_sockets.store(false, Ordering::Relaxed);
}

fn note_fault(reader: &Reader, kind: &'static str) {
    reader.world().trace.count(kind);
    reader.world().trace.note(format_args!("{} {kind}", reader.identity.id));
}

/// Stops or kills the node of a site, and starts it again, over and over.
pub async fn inject_node_faults(world: Arc<World>, site: usize) {
    loop {
        world.rng.sleep(2_000..=15_000).await;
        if now() > FAULTS_UNTIL_MS {
            return;
        }
        if world.rng.one_in(3) {
            world.stop(site).await;
        } else {
            world.kill(site);
        }
        world.rng.sleep(50..=5_000).await;
        world.start(site);
    }
}

/// Takes permissions away and gives them back. In some runs one permission does not return.
pub async fn toggle_permissions(world: Arc<World>, readers: Vec<Arc<Reader>>) {
    let mut denied: Option<(Arc<Reader>, Topic)> = None;
    loop {
        world.rng.sleep(1_000..=9_000).await;
        if now() > FAULTS_UNTIL_MS {
            break;
        }
        if let Some((reader, topic)) = denied.take() {
            world.toggle_permission(&reader.identity.id, &topic).await;
        } else {
            let reader = world.rng.choose(&readers);
            let topic = world.rng.choose(&world.topics);
            world.toggle_permission(&reader.identity.id, topic).await;
            denied = Some((reader.clone(), topic.clone()));
        }
    }
    if let Some((reader, topic)) = denied
        && world.rng.one_in(2)
    {
        world.toggle_permission(&reader.identity.id, &topic).await;
    }
}

/// In some runs, ends all nodes and starts them on a restored backup, while a reader has yet to read frames from
/// before.
pub async fn restore_backup_sometimes(world: Arc<World>, readers: Vec<Arc<Reader>>) {
    if !world.rng.one_in(5) {
        return;
    }
    world.rng.sleep(15_000..=35_000).await;
    let slow = world.rng.choose(&readers);
    slow.network.set_reading(false);
    world.rng.sleep(0..=2_000).await;
    world.restore_backup();
    sleep(RESTORE_DOWNTIME).await;
    (0..world.sites()).for_each(|site| world.start(site));
    world.rng.sleep(0..=5_000).await;
    slow.network.set_reading(true);
}
