//! The node, or a command of the program, is killed at a step of what it does to the disk: before, in the middle of, or
//! after it.

use super::disk::When;
use super::stage::{FOLDED_AFTER, Found, LONG_BYTES, Stage, text};
use super::{is_long, seed};
use crate::support::{Dice, Variables};

/// Of more steps than these some are passed over.
const STEPS_MAX: u64 = 150;

/// The work that a crash interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Start,
    Publish,
    /// Publishes so much that SQLite folds the -wal in.
    PublishMuch,
    Stop,
    Backup,
    Restore,
}

#[tokio::test]
async fn a_crash_of_the_first_start_leaves_a_folder_to_start_in() {
    crash(Found::Nothing, Act::Start).await;
}

#[tokio::test]
async fn a_crash_of_a_start_after_a_stop_loses_nothing() {
    crash(Found::Stopped, Act::Start).await;
}

#[tokio::test]
async fn a_crash_of_a_start_after_a_kill_loses_nothing() {
    crash(Found::Killed, Act::Start).await;
}

#[tokio::test]
async fn a_crash_of_a_start_that_migrates_an_older_log_loses_nothing() {
    crash(Found::Older, Act::Start).await;
}

#[tokio::test]
async fn a_crash_while_people_publish_loses_nothing_acknowledged() {
    crash(Found::Stopped, Act::Publish).await;
}

#[tokio::test]
async fn a_crash_while_the_wal_is_folded_in_loses_nothing_acknowledged() {
    // At every push the power cuts have to do: they see it too.
    if is_long() {
        crash(Found::Stopped, Act::PublishMuch).await;
    }
}

#[tokio::test]
async fn a_crash_of_an_orderly_stop_loses_nothing() {
    crash(Found::Stopped, Act::Stop).await;
}

#[tokio::test]
async fn a_crash_of_a_backup_leaves_a_whole_one_or_none() {
    crash(Found::Killed, Act::Backup).await;
}

#[tokio::test]
async fn a_crash_of_a_restore_over_a_stopped_node_leaves_the_old_log_or_the_new_one() {
    crash(Found::Stopped, Act::Restore).await;
}

#[tokio::test]
async fn a_crash_of_a_restore_over_a_killed_node_leaves_the_old_log_or_the_new_one() {
    crash(Found::Killed, Act::Restore).await;
}

/// Crashes at a step that the seed chooses, or at all of them.
async fn crash(found: Found, act: Act) {
    let mut stage = Stage::with(found).await;
    let steps = stage.steps_of(act).await;
    let mut dice = Dice::new(seed() ^ steps << 8);
    let chosen: Vec<(u64, When)> = if !is_long() {
        vec![(dice.within(1..steps + 1), any_time(&mut dice))]
    } else if steps > STEPS_MAX {
        let every = steps.div_ceil(STEPS_MAX) as usize;
        (1..=steps).step_by(every).map(|step| (step, any_time(&mut dice))).collect()
    } else {
        let around = |step: u64| {
            let other = if step.is_multiple_of(2) { When::Before } else { When::After };
            [(step, When::Halfway), (step, other)]
        };
        (1..=steps).flat_map(around).collect()
    };
    let mut crashes = 0;
    for (step, when) in &chosen {
        eprintln!("{found:?}, {act:?}: a crash {when:?} step {step} of {steps}");
        crashes += usize::from(stage.crashes(act, *step, *when).await);
        stage.judges(act, *step).await;
    }
    // A thread may be later than at the counting.
    assert!(chosen.len() - crashes <= chosen.len().div_ceil(10), "{crashes} crashes of {}", chosen.len());
}

fn any_time(dice: &mut Dice) -> When {
    [When::Before, When::Halfway, When::After][dice.within(0..3) as usize]
}

impl Stage {
    /// The number of steps that it takes where nothing crashes.
    async fn steps_of(&mut self, act: Act) -> u64 {
        self.set();
        self.begins(act);
        let before = self.disk.steps();
        self.does(act).await;
        assert!(!self.disk.has_crashed());
        self.disk.steps() - before
    }

    /// Does it until it crashes at that step; false if it came to its end before.
    async fn crashes(&mut self, act: Act, step: u64, when: When) -> bool {
        self.set();
        self.begins(act);
        self.disk.crash_at(step, when);
        let succeeds = self.does(act).await;
        let has_crashed = self.disk.has_crashed();
        assert!(succeeds || has_crashed, "{act:?} failed by itself: {}", self.server.log());
        self.server.kill();
        self.disk.mend();
        has_crashed
    }

    /// Comes to the point where the steps are counted from.
    fn begins(&mut self, act: Act) {
        if matches!(act, Act::Publish | Act::PublishMuch | Act::Stop) {
            assert!(self.server.restarts_under(self.disk.variables()));
        }
    }

    /// Does it; true if it succeeds.
    async fn does(&mut self, act: Act) -> bool {
        let (copy, backup) = (self.server.data().join("copy.db"), self.backup());
        match act {
            Act::Start => self.server.restarts_under(self.disk.variables()),
            Act::Publish => self.author.as_mut().unwrap().publishes(6, "in the crash").await,
            Act::PublishMuch => {
                let text = "x".repeat(LONG_BYTES);
                self.author.as_mut().unwrap().publishes(FOLDED_AFTER, &text).await
            }
            Act::Stop => {
                self.server.terminate();
                self.server.ended().await.success()
            }
            Act::Backup => self.runs(&["backup", text(&copy)], self.disk.variables()).await,
            Act::Restore => self.runs(&["restore", text(&backup)], self.disk.variables()).await,
        }
    }

    async fn judges(&mut self, act: Act, step: u64) {
        let (author, of_backup) = (self.author.clone(), self.author_of_backup.clone());
        match act {
            Act::Start | Act::Publish | Act::PublishMuch | Act::Stop => {}
            Act::Backup => self.has_a_backup().await,
            // Whoever sees it fail tries again, or starts the node.
            Act::Restore if step.is_multiple_of(2) => {
                assert!(self.runs(&["restore", text(&self.backup())], Variables::new()).await);
                return self.goes_on(&[&of_backup]).await;
            }
            Act::Restore => return self.goes_on(&[&author.unwrap(), &of_backup]).await,
        }
        self.goes_on(&author.iter().collect::<Vec<_>>()).await;
    }

    /// A whole one, which the next attempt makes if there is none yet.
    async fn has_a_backup(&self) {
        let copy = self.server.data().join("copy.db");
        if !copy.exists() {
            assert!(self.runs(&["backup", text(&copy)], Variables::new()).await);
        }
        assert!(self.runs(&["verify", text(&copy)], Variables::new()).await);
        assert!(!self.server.data().join("copy.db.unfinished").exists());
    }
}
