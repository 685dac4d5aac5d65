//! `Memory`: the memory that the node has taken, and the most that it may take before the system ends it.
//!
//! The limit is the one of the process's control group, as in a container, or a given one. The kernel counts buffers of
//! sockets too against a group, so there its figure is the one that counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A crowd takes some tens of megabytes in this time.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The same once half of the limit is taken.
const LOOK_CLOSELY_EVERY: Duration = Duration::from_millis(20);
/// From this part of the limit on it is looked at closely, in percent.
const HALF: u64 = 50;
/// From this part on crowds are not let in, in percent.
const TIGHT: u64 = 70;
/// From this part on they are sent away, in percent.
const FULL: u64 = 80;
/// From this part on there is no time to lose, in percent.
const NEARLY_OVER: u64 = 90;
/// Growth since a crowd was sent away, in percent of the limit, after which the next one is. An allocator gives back what
/// is free late, or never: only growth shows that it did not suffice.
const GROWTH: u64 = 1;
/// Growth after which the next crowd is sent away at once, in percent of the limit.
const RUSH: u64 = 4;
/// The time in which a crowd leaves and the allocator gives back what it held: with little growth, the next crowd is not
/// sent away before.
const LEAVES_WITHIN: Duration = Duration::from_millis(1_200);
/// A crowd that was sent away comes again at once, and is not let in for so long.
const WARY_FOR: Duration = Duration::from_secs(60);

/// The time that is left to make some memory free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Before long: the largest crowd is enough.
    Soon,
    /// Now, or the system ends the process.
    Now,
}

/// The node's memory, looked at ten times a second, and fifty times where it is short. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    max: Option<u64>,
    taken: AtomicU64,
    /// True from the moment when a crowd was sent away until a minute without any is over.
    is_wary: AtomicBool,
    group: Option<Group>,
}

/// A control group with a limit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// Of version 1 of the kernel's interface.
    V1(PathBuf),
    /// Of version 2.
    V2(PathBuf),
}

impl Memory {
    /// The given limit in bytes, or the one of the process's control group, whichever is less; or none.
    pub fn new(given: Option<u64>) -> Memory {
        let group = tightest_group().filter(|(limit, _)| given.is_none_or(|given| *limit <= given));
        if let (Some(given), Some((limit, _))) = (given, &group) {
            tracing::warn!(given, limit, "the control group allows less memory than --memory-max");
        }
        let max = group.as_ref().map(|(limit, _)| *limit).or(given);
        let group = group.map(|(_, group)| group);
        let memory = Memory(Arc::new(Parts { max, group, ..Parts::default() }));
        memory.look();
        memory
    }

    /// The limit in bytes; `None` without one.
    pub fn max(&self) -> Option<u64> {
        self.0.max
    }

    /// The bytes that were taken at the last look.
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// True if crowds must stay outside: 70 % of the limit are taken, or one was sent away in the last minute.
    pub fn is_tight(&self) -> bool {
        self.is_past(TIGHT) || self.0.is_wary.load(Ordering::Relaxed)
    }

    fn is_past(&self, percent: u64) -> bool {
        self.max().is_some_and(|max| self.taken() >= part(max, percent))
    }

    /// Looks at it for ever, and calls `send_away` whenever 80 % of the limit are taken, and again for as long as more is
    /// taken.
    pub async fn watch(self, send_away: impl Fn(Urgency)) {
        let Some(max) = self.max() else { return };
        let (mut was_tight, mut relief) = (false, Relief::default());
        loop {
            sleep(if self.is_past(HALF) { LOOK_CLOSELY_EVERY } else { LOOK_EVERY }).await;
            self.look();
            let taken = self.taken();
            if let Some(urgency) = relief.due(taken, max) {
                send_away(urgency);
            }
            self.0.is_wary.store(relief.is_recent(), Ordering::Relaxed);
            let is_tight = self.is_tight();
            if is_tight != was_tight {
                match is_tight {
                    true => tracing::warn!(taken, max, "memory is short: crowds are not let in"),
                    false => tracing::info!(taken, max, "memory is no longer short"),
                }
                was_tight = is_tight;
            }
        }
    }

    fn look(&self) {
        let taken = match &self.0.group {
            Some(group) => group.taken(),
            None => resident(),
        };
        // Where the system does not tell, nothing is ever short.
        self.0.taken.store(taken.unwrap_or_default(), Ordering::Relaxed);
    }
}

/// When crowds were sent away, and whether that is due again.
#[derive(Default)]
struct Relief {
    /// The last time, and the bytes that were taken then; none once they have come free.
    last: Option<(Instant, Option<u64>)>,
}

impl Relief {
    /// Notes that so much is taken. Crowds must be sent away now where it says how urgently.
    fn due(&mut self, taken: u64, max: u64) -> Option<Urgency> {
        if taken < part(max, FULL) {
            self.last = self.last.map(|(at, _)| (at, None));
            return None;
        }
        if let Some((at, Some(before))) = self.last {
            let grown = taken.saturating_sub(before);
            let is_rush = grown >= part(max, RUSH);
            let did_not_suffice = at.elapsed() >= LEAVES_WITHIN && grown >= part(max, GROWTH);
            if !is_rush && !did_not_suffice {
                return None;
            }
        }
        self.last = Some((Instant::now(), Some(taken)));
        Some(if taken >= part(max, NEARLY_OVER) { Urgency::Now } else { Urgency::Soon })
    }

    /// True for a minute after each time.
    fn is_recent(&self) -> bool {
        self.last.is_some_and(|(at, _)| at.elapsed() < WARY_FOR)
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

    /// In bytes. Version 1 says "none" by a number that no machine has.
    fn limit(&self) -> Option<u64> {
        let file = match self {
            Group::V1(_) => "memory.limit_in_bytes",
            Group::V2(_) => "memory.max",
        };
        number(&self.folder().join(file)).filter(|limit| *limit < i64::MAX as u64 / 2)
    }

    /// All that the kernel counts against the group, without the copies of files that it would give up first.
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

/// The group with the smallest limit among those that the process is in, and that limit.
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

/// Bytes that the process itself holds (proc(5), `/proc/self/status`).
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
    fn a_group_counts_without_what_the_kernel_would_give_up() {
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
    async fn crowds_go_again_when_it_grows_in_a_rush_or_did_not_suffice_and_not_for_what_is_given_back_late()
    {
        let mut relief = Relief::default();
        assert_eq!((relief.due(799, 1_000), relief.is_recent()), (None, false));
        assert_eq!((relief.due(800, 1_000), relief.is_recent()), (Some(Urgency::Soon), true));
        assert_eq!(relief.due(839, 1_000), None, "they are leaving");
        assert_eq!(relief.due(840, 1_000), Some(Urgency::Soon), "a rush");
        assert_eq!(relief.due(900, 1_000), Some(Urgency::Now));
        advance(LEAVES_WITHIN).await;
        assert_eq!(relief.due(900, 1_000), None, "the allocator keeps what is free, and others use it");
        assert_eq!(relief.due(910, 1_000), Some(Urgency::Now), "it did not suffice");
        assert_eq!(relief.due(700, 1_000), None);
        assert_eq!(relief.due(800, 1_000), Some(Urgency::Soon), "what had come free is taken again");
        advance(WARY_FOR).await;
        assert!(!relief.is_recent());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_is_short_of_memory_where_less_is_given_than_it_has() {
        let (little, much) = (Memory::new(Some(1 << 20)), Memory::new(Some(1 << 50)));
        assert!(little.is_tight() && little.taken() > 1 << 20);
        assert!(!much.is_tight());
    }
}
