//! The node, or a command of the program, is killed at one step of its work on the disk: before, in the middle of, or
//! after the step.

use super::disk::CrashPoint;
use super::fixture::{CHECKPOINTED_AFTER, DiskFixture, InitialLog, LONG_BYTES, text};
use super::{is_long, seed};
use crate::support::{EnvVars, Rng};

/// If there are more steps than this, some are skipped.
const STEPS_MAX: u64 = 150;

/// The action that a crash interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Start,
    Publish,
    /// Publishes so much that SQLite checkpoints the -wal.
    PublishMuch,
    Stop,
    Backup,
    Restore,
}

#[tokio::test]
async fn a_crash_of_the_first_start_leaves_a_usable_folder() {
    crash(InitialLog::Nothing, Action::Start).await;
}

#[tokio::test]
async fn a_crash_of_a_start_after_a_stop_loses_nothing() {
    crash(InitialLog::Stopped, Action::Start).await;
}

#[tokio::test]
async fn a_crash_of_a_start_after_a_kill_loses_nothing() {
    crash(InitialLog::Killed, Action::Start).await;
}

#[tokio::test]
async fn a_crash_of_a_start_that_migrates_an_older_log_loses_nothing() {
    crash(InitialLog::Older, Action::Start).await;
}

#[tokio::test]
async fn a_crash_while_people_publish_loses_nothing_acknowledged() {
    crash(InitialLog::Stopped, Action::Publish).await;
}

#[tokio::test]
async fn a_crash_during_a_checkpoint_loses_nothing_acknowledged() {
    // At every push, the power cuts suffice: they cover checkpoints too.
    if is_long() {
        crash(InitialLog::Stopped, Action::PublishMuch).await;
    }
}

#[tokio::test]
async fn a_crash_of_a_graceful_stop_loses_nothing() {
    crash(InitialLog::Stopped, Action::Stop).await;
}

#[tokio::test]
async fn a_crash_of_a_backup_leaves_a_complete_one_or_none() {
    crash(InitialLog::Killed, Action::Backup).await;
}

#[tokio::test]
async fn a_crash_of_a_restore_over_a_stopped_node_leaves_the_old_log_or_the_new_one() {
    crash(InitialLog::Stopped, Action::Restore).await;
}

#[tokio::test]
async fn a_crash_of_a_restore_over_a_killed_node_leaves_the_old_log_or_the_new_one() {
    crash(InitialLog::Killed, Action::Restore).await;
}

/// Crashes at a random step, or at all steps.
async fn crash(initial: InitialLog, action: Action) {
    let mut fixture = DiskFixture::with(initial).await;
    let steps = fixture.count_steps(action).await;
    let mut rng = Rng::new(seed() ^ steps << 8);
    let chosen: Vec<(u64, CrashPoint)> = if !is_long() {
        vec![(rng.range(1..steps + 1), any_point(&mut rng))]
    } else if steps > STEPS_MAX {
        let every = steps.div_ceil(STEPS_MAX) as usize;
        (1..=steps).step_by(every).map(|step| (step, any_point(&mut rng))).collect()
    } else {
        let around = |step: u64| {
            let other = if step.is_multiple_of(2) { CrashPoint::Before } else { CrashPoint::After };
            [(step, CrashPoint::Halfway), (step, other)]
        };
        (1..=steps).flat_map(around).collect()
    };
    let mut crashes = 0;
    for (step, point) in &chosen {
        eprintln!("{initial:?}, {action:?}: a crash {point:?} step {step} of {steps}");
        crashes += usize::from(fixture.crash_during(action, *step, *point).await);
        fixture.check_recovery(action, *step).await;
    }
    // A thread may do its steps later than when they were counted.
    assert!(chosen.len() - crashes <= chosen.len().div_ceil(10), "{crashes} crashes of {}", chosen.len());
}

fn any_point(rng: &mut Rng) -> CrashPoint {
    [CrashPoint::Before, CrashPoint::Halfway, CrashPoint::After][rng.range(0..3) as usize]
}

impl DiskFixture {
    /// Counts the steps of an action without a crash.
    async fn count_steps(&mut self, action: Action) -> u64 {
        self.reset();
        self.prepare(action);
        let before = self.disk.steps();
        self.perform(action).await;
        assert!(!self.disk.has_crashed());
        self.disk.steps() - before
    }

    /// Runs an action with a crash at a step. Returns false if the action ended before that step.
    async fn crash_during(&mut self, action: Action, step: u64, point: CrashPoint) -> bool {
        self.reset();
        self.prepare(action);
        self.disk.crash_at(step, point);
        let succeeds = self.perform(action).await;
        let has_crashed = self.disk.has_crashed();
        assert!(succeeds || has_crashed, "{action:?} failed by itself: {}", self.server.stderr());
        self.server.kill();
        self.disk.mend();
        has_crashed
    }

    /// Brings the server into the state in which an action begins.
    fn prepare(&mut self, action: Action) {
        if matches!(action, Action::Publish | Action::PublishMuch | Action::Stop) {
            assert!(self.server.try_restart_with_env(self.disk.env_vars()));
        }
    }

    /// Runs an action. Returns true if it succeeds.
    async fn perform(&mut self, action: Action) -> bool {
        let copy = self.server.data().join("copy.db");
        let backup = self.backup();
        match action {
            Action::Start => self.server.try_restart_with_env(self.disk.env_vars()),
            Action::Publish => self.author.as_mut().unwrap().publish(6, "while it crashes").await,
            Action::PublishMuch => {
                let text = "x".repeat(LONG_BYTES);
                self.author.as_mut().unwrap().publish(CHECKPOINTED_AFTER, &text).await
            }
            Action::Stop => {
                self.server.terminate();
                self.server.ended().await.success()
            }
            Action::Backup => self.run(&["backup", text(&copy)], self.disk.env_vars()).await,
            Action::Restore => self.run(&["restore", text(&backup)], self.disk.env_vars()).await,
        }
    }

    async fn check_recovery(&mut self, action: Action, step: u64) {
        let author = self.author.clone();
        let of_backup = self.author_of_backup.clone();
        match action {
            Action::Start | Action::Publish | Action::PublishMuch | Action::Stop => {}
            Action::Backup => self.assert_backup_is_complete().await,
            // An operator who sees it fail tries again, or starts the node.
            Action::Restore if step.is_multiple_of(2) => {
                assert!(self.run(&["restore", text(&self.backup())], EnvVars::new()).await);
                return self.assert_recovers(&[&of_backup]).await;
            }
            Action::Restore => return self.assert_recovers(&[&author.unwrap(), &of_backup]).await,
        }
        match &author {
            Some(author) => self.assert_recovers(&[author]).await,
            None => self.assert_recovers(&[]).await,
        }
    }

    /// Asserts that there is a complete backup. If there is none, the next attempt must create one.
    async fn assert_backup_is_complete(&self) {
        let copy = self.server.data().join("copy.db");
        if !copy.exists() {
            assert!(self.run(&["backup", text(&copy)], EnvVars::new()).await);
        }
        assert!(self.run(&["verify", text(&copy)], EnvVars::new()).await);
        assert!(!self.server.data().join("copy.db.unfinished").exists());
    }
}
