//! What befalls readers, nodes and permissions until the run's faults are over. Whatever is done is undone.

use std::sync::Arc;
use std::time::Duration;

use shared::{Input, Topic};
use tokio::time::sleep;

use super::reader::Reader;
use super::trace::now;
use super::world::World;

/// Faults begin until then.
const UNTIL_MS: i64 = 40_000;
/// How long all nodes are away, on the simulated clock, while the log is put back.
const RESTORED_WITHIN: Duration = Duration::from_millis(200);

/// What befalls one reader, one thing after the other.
pub async fn befall_reader(reader: Arc<Reader>) {
    let chance = reader.world().chance.clone();
    if chance.one_in(5) {
        forbid_sockets(&reader, 40_000..=60_000).await;
    }
    loop {
        chance.pause(500..=8_000).await;
        if now() > UNTIL_MS {
            return;
        }
        match chance.between(1..=9) {
            1 | 2 => stall(&reader).await,
            3 => cut(&reader),
            4 => lose_network(&reader).await,
            5 => hide(&reader).await,
            6 | 7 => leave_a_topic(&reader).await,
            8 => sign_out_elsewhere(&reader),
            _ => reader.tell(Input::ReconnectNow),
        }
    }
}

async fn stall(reader: &Arc<Reader>) {
    strike(reader, "stops reading");
    reader.network.set_takes(false);
    reader.world().chance.pause(500..=9_000).await;
    reader.network.set_takes(true);
}

fn cut(reader: &Arc<Reader>) {
    strike(reader, "is cut off");
    reader.network.cut();
}

/// Browsers notice most of the time, not always.
async fn lose_network(reader: &Arc<Reader>) {
    let (chance, is_noticed) = (&reader.world().chance, !reader.world().chance.one_in(4));
    strike(reader, "goes offline");
    reader.network.set_online(false);
    let tell = |online| {
        if is_noticed {
            reader.tell(Input::Online(online))
        }
    };
    tell(false);
    chance.pause(200..=12_000).await;
    reader.network.set_online(true);
    tell(true);
}

async fn hide(reader: &Arc<Reader>) {
    strike(reader, "hides the page");
    reader.tell(Input::Visible(false));
    if reader.world().chance.one_in(2) {
        reader.network.cut();
    }
    reader.world().chance.pause(1_000..=15_000).await;
    reader.tell(Input::Visible(true));
}

async fn leave_a_topic(reader: &Arc<Reader>) {
    let (world, topic) = (reader.world(), reader.world().chance.pick(&reader.world().topics));
    strike(reader, "leaves a topic");
    reader.leaves(topic);
    world.chance.pause(0..=4_000).await;
    reader.opens(topic);
}

/// The person signs in again when they see it.
fn sign_out_elsewhere(reader: &Arc<Reader>) {
    strike(reader, "is signed out elsewhere");
    let (world, visitor) = (reader.world(), reader.visitor());
    world.people.sign_out(&visitor.identity.id);
    world.processes().iter().for_each(|process| process.node.end_sign_in(visitor.sign_in));
}

async fn forbid_sockets(reader: &Arc<Reader>, millis: std::ops::RangeInclusive<u64>) {
    use std::sync::atomic::Ordering;
    strike(reader, "is behind a proxy that forbids sockets");
    reader.network.forbids_sockets.store(true, Ordering::Relaxed);
    reader.network.cut();
    reader.world().chance.pause(millis).await;
    reader.network.forbids_sockets.store(false, Ordering::Relaxed);
}

fn strike(reader: &Reader, kind: &'static str) {
    reader.world().trace.count(kind);
    reader.world().trace.note(format_args!("{} {kind}", reader.identity.id));
}

/// What befalls the node of one site.
pub async fn befall_site(world: Arc<World>, site: usize) {
    loop {
        world.chance.pause(2_000..=15_000).await;
        if now() > UNTIL_MS {
            return;
        }
        if world.chance.one_in(3) {
            world.stop(site).await;
        } else {
            world.kill(site);
        }
        world.chance.pause(50..=5_000).await;
        world.start(site);
    }
}

/// Permissions end and return; in some runs one stays away.
pub async fn befall_permissions(world: Arc<World>, readers: Vec<Arc<Reader>>) {
    let mut denied: Option<(Arc<Reader>, Topic)> = None;
    loop {
        world.chance.pause(1_000..=9_000).await;
        if now() > UNTIL_MS {
            break;
        }
        if let Some((reader, topic)) = denied.take() {
            world.flip(&reader.identity.id, &topic).await;
        } else {
            let (reader, topic) = (world.chance.pick(&readers), world.chance.pick(&world.topics));
            world.flip(&reader.identity.id, topic).await;
            denied = Some((reader.clone(), topic.clone()));
        }
    }
    if let Some((reader, topic)) = denied.filter(|_| world.chance.one_in(2)) {
        world.flip(&reader.identity.id, &topic).await;
    }
}

/// In some runs all nodes end, and start again on a backup of the log, while somebody still has frames of before
/// on the way.
pub async fn befall_log(world: Arc<World>, readers: Vec<Arc<Reader>>) {
    if !world.chance.one_in(5) {
        return;
    }
    world.chance.pause(15_000..=35_000).await;
    let slow = world.chance.pick(&readers);
    slow.network.set_takes(false);
    world.chance.pause(0..=2_000).await;
    world.restore_backup();
    sleep(RESTORED_WITHIN).await;
    (0..world.sites()).for_each(|site| world.start(site));
    world.chance.pause(0..=5_000).await;
    slow.network.set_takes(true);
}
