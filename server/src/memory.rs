//! `Memory`: the memory that the node uses, and the limit beyond which the system would end it.
//!
//! The limit is that of the process's control group, as in a container, or a given one. The kernel also charges socket
//! buffers to a group, so with a group its figure is used, and not the size of the process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The pause between two checks. A crowd takes some tens of megabytes in this time.
const CHECK_EVERY: Duration = Duration::from_millis(100);
/// The pause between two checks above [`WATCH_CLOSELY_PERCENT`].
const CHECK_CLOSELY_EVERY: Duration = Duration::from_millis(20);
/// The part of the limit from which on memory is checked more often.
const WATCH_CLOSELY_PERCENT: u64 = 50;
/// The part of the limit from which on crowds are not let in.
const TIGHT_PERCENT: u64 = 70;
/// The part of the limit from which on crowds are sent away.
const SHED_PERCENT: u64 = 80;
/// The part of the limit from which on that is urgent.
const URGENT_PERCENT: u64 = 90;
/// Growth since a crowd was sent away after which the next one is, in percent of the limit. An allocator returns free
/// memory late, or never, so only growth shows that one crowd was not enough.
const GROWTH_PERCENT: u64 = 1;
/// Growth after which the next crowd is sent away without waiting for [`SHED_EFFECT_WITHIN`], in percent of the limit.
const RUSH_PERCENT: u64 = 4;
/// The time in which a crowd leaves and the allocator returns its memory. With little growth, no other crowd is sent away
/// before it is over.
const SHED_EFFECT_WITHIN: Duration = Duration::from_millis(1_200);
/// The time for which no crowd is let in after one was sent away, because its clients reconnect at once.
const LET_NONE_IN_FOR: Duration = Duration::from_secs(60);

/// The urgency with which memory must be freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Part of the largest crowd is enough.
    Soon,
    /// As much as possible must go at once, or the system ends the process.
    Now,
}

/// The node's memory, measured ten times a second, and fifty times a second above half of the limit. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<MemoryState>);

#[derive(Debug, Default)]
struct MemoryState {
    max: Option<u64>,
    taken: AtomicU64,
    /// True while [`LET_NONE_IN_FOR`] since the last crowd was sent away is not over.
    has_shed_recently: AtomicBool,
    group: Option<Group>,
}

/// The folder of a control group that limits memory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// Version 1 of the kernel's interface.
    V1(PathBuf),
    /// Version 2 of the kernel's interface.
    V2(PathBuf),
}

impl Memory {
    /// Takes the lower of the given limit, in bytes, and that of the process's control group. Without either there is no
    /// limit.
    pub fn new(given: Option<u64>) -> Memory {
        let group = tightest_group().filter(|(limit, _)| given.is_none_or(|given| *limit <= given));
        if let (Some(given), Some((limit, _))) = (given, &group) {
            tracing::warn!(given, limit, "the control group allows less memory than --memory-max");
        }
        let max = group.as_ref().map(|(limit, _)| *limit).or(given);
        let group = group.map(|(_, group)| group);
        let memory = Memory(Arc::new(MemoryState { max, group, ..MemoryState::default() }));
        memory.measure();
        memory
    }

    /// Returns the limit in bytes, if there is one.
    pub fn max(&self) -> Option<u64> {
        self.0.max
    }

    /// Returns the bytes that the last measurement found in use.
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// True if no crowd may be let in: 70 % of the limit are in use, or a crowd was sent away in the last minute.
    pub fn is_tight(&self) -> bool {
        self.is_past(TIGHT_PERCENT) || self.0.has_shed_recently.load(Ordering::Relaxed)
    }

    fn is_past(&self, percent: u64) -> bool {
        self.max().is_some_and(|max| self.taken() >= part(max, percent))
    }

    /// Measures memory for ever. Calls `send_away` when 80 % of the limit are in use, and again while usage still grows.
    /// Returns at once if there is no limit.
    pub async fn watch(self, send_away: impl Fn(Urgency)) {
        let Some(max) = self.max() else { return };
        let mut was_tight = false;
        let mut shed_timer = ShedTimer::default();
        loop {
            let is_close = self.is_past(WATCH_CLOSELY_PERCENT);
            sleep(if is_close { CHECK_CLOSELY_EVERY } else { CHECK_EVERY }).await;
            self.measure();
            let taken = self.taken();
            if let Some(urgency) = shed_timer.due(taken, max) {
                send_away(urgency);
            }
            self.0.has_shed_recently.store(shed_timer.is_recent(), Ordering::Relaxed);
            let is_tight = self.is_tight();
            if is_tight != was_tight {
                if is_tight {
                    tracing::warn!(taken, max, "memory is short: crowds are not let in");
                } else {
                    tracing::info!(taken, max, "memory is no longer short");
                }
                was_tight = is_tight;
            }
        }
    }

    fn measure(&self) {
        let taken = match &self.0.group {
            Some(group) => group.taken(),
            None => resident(),
        };
        // On a system that does not report it, memory is never short.
        self.0.taken.store(taken.unwrap_or_default(), Ordering::Relaxed);
    }
}

/// The times at which crowds are sent away.
#[derive(Default)]
struct ShedTimer {
    /// The last time, and the bytes that were in use then; `None` once usage has fallen below [`SHED_PERCENT`] again.
    last: Option<(Instant, Option<u64>)>,
}

impl ShedTimer {
    /// Returns the urgency, if crowds must be sent away now that `taken` bytes are in use.
    fn due(&mut self, taken: u64, max: u64) -> Option<Urgency> {
        if taken < part(max, SHED_PERCENT) {
            self.last = self.last.map(|(at, _)| (at, None));
            return None;
        }
        if let Some((at, Some(before))) = self.last {
            let grown = taken.saturating_sub(before);
            let is_rush = grown >= part(max, RUSH_PERCENT);
            let was_not_enough = at.elapsed() >= SHED_EFFECT_WITHIN && grown >= part(max, GROWTH_PERCENT);
            if !is_rush && !was_not_enough {
                return None;
            }
        }
        self.last = Some((Instant::now(), Some(taken)));
        let is_urgent = taken >= part(max, URGENT_PERCENT);
        Some(if is_urgent { Urgency::Now } else { Urgency::Soon })
    }

    /// True if crowds were sent away within the last minute.
    fn is_recent(&self) -> bool {
        self.last.is_some_and(|(at, _)| at.elapsed() < LET_NONE_IN_FOR)
    }
}

fn part(max: u64, percent: u64) -> u64 {
    (u128::from(max) * u128::from(percent) / 100) as u64
}

impl Group {
    fn folder(&self) -> &Path {
        match self {
            Group::V1(folder) | Group::V2(folder) => folder,
        }
    }

    /// The group's limit in bytes. Version 1 expresses "none" by a number beyond any machine's memory.
    fn limit(&self) -> Option<u64> {
        let file = match self {
            Group::V1(_) => "memory.limit_in_bytes",
            Group::V2(_) => "memory.max",
        };
        number(&self.folder().join(file)).filter(|limit| *limit < i64::MAX as u64 / 2)
    }

    /// The bytes that the kernel charges to the group, without cached files, which it would drop first.
    fn taken(&self) -> Option<u64> {
        let (usage, prefix) = match self {
            Group::V1(_) => ("memory.usage_in_bytes", "total_"),
            Group::V2(_) => ("memory.current", ""),
        };
        let stat = fs::read_to_string(self.folder().join("memory.stat")).ok()?;
        let files = ["inactive_file", "active_file"].map(|name| {
            let figure = stat.lines().find_map(|line| {
                line.strip_prefix(prefix)?.strip_prefix(name)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
            });
            figure.unwrap_or_default()
        });
        Some(number(&self.folder().join(usage))?.saturating_sub(files.iter().sum()))
    }
}

/// Returns the group with the lowest limit among the process's own group and those above it, and that limit.
fn tightest_group() -> Option<(u64, Group)> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let above = |root: &'static str, path: &str| -> Vec<PathBuf> {
        Path::new(path.trim_start_matches('/')).ancestors().map(|group| Path::new(root).join(group)).collect()
    };
    let groups = own.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':');
        match (fields.next(), fields.next(), fields.next()) {
            (Some("0"), Some(""), Some(path)) => {
                above("/sys/fs/cgroup", path).into_iter().map(Group::V2).collect()
            }
            (_, Some("memory"), Some(path)) => {
                above("/sys/fs/cgroup/memory", path).into_iter().map(Group::V1).collect()
            }
            _ => Vec::new(),
        }
    });
    groups.filter_map(|group| Some((group.limit()?, group))).min()
}

/// The bytes of the process itself that are in memory (proc(5): `VmRSS`).
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1_024)
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn group(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        folder
    }

    #[test]
    fn a_groups_usage_leaves_out_cached_files() {
        let stat = "anon 7\ninactive_file 300\nactive_file 30\nfile 9000\n";
        let stat_v1 = "inactive_file 1\ntotal_inactive_file 300\ntotal_active_file 30\n";
        for (kind, files) in [
            (
                Group::V2 as fn(PathBuf) -> Group,
                [("memory.max", "5000\n"), ("memory.current", "1000\n"), ("memory.stat", stat)],
            ),
            (
                Group::V1,
                [
                    ("memory.limit_in_bytes", "5000\n"),
                    ("memory.usage_in_bytes", "1000\n"),
                    ("memory.stat", stat_v1),
                ],
            ),
        ] {
            let folder = group(&files);
            let group = kind(folder.path().to_owned());
            assert_eq!((group.limit(), group.taken()), (Some(5_000), Some(670)), "{group:?}");
        }
    }

    #[test]
    fn a_group_without_a_limit_has_none() {
        let unlimited = group(&[("memory.max", "max\n"), ("memory.limit_in_bytes", "9223372036854771712\n")]);
        assert_eq!(Group::V2(unlimited.path().to_owned()).limit(), None);
        assert_eq!(Group::V1(unlimited.path().to_owned()).limit(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_crowd_goes_after_a_rush_or_if_one_was_not_enough_but_not_for_memory_returned_late() {
        let mut timer = ShedTimer::default();
        assert_eq!((timer.due(799, 1_000), timer.is_recent()), (None, false));
        assert_eq!((timer.due(800, 1_000), timer.is_recent()), (Some(Urgency::Soon), true));
        assert_eq!(timer.due(839, 1_000), None, "they are leaving");
        assert_eq!(timer.due(840, 1_000), Some(Urgency::Soon), "a rush");
        assert_eq!(timer.due(900, 1_000), Some(Urgency::Now));
        advance(SHED_EFFECT_WITHIN).await;
        assert_eq!(timer.due(900, 1_000), None, "the allocator keeps free memory for later use");
        assert_eq!(timer.due(910, 1_000), Some(Urgency::Now), "one crowd was not enough");
        assert_eq!(timer.due(700, 1_000), None);
        assert_eq!(timer.due(800, 1_000), Some(Urgency::Soon), "memory that was freed is in use again");
        advance(LET_NONE_IN_FOR).await;
        assert!(!timer.is_recent());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_tight_if_the_limit_is_below_the_usage() {
        let (little, much) = (Memory::new(Some(1 << 20)), Memory::new(Some(1 << 50)));
        assert!(little.is_tight() && little.taken() > 1 << 20);
        assert!(!much.is_tight());
    }
}
