//! Power failures. A node's work is recorded; then, many times, the recording is cut off somewhere, the disk gets the
//! content that it may have at that moment, and a node starts on it.

use std::fs;

use super::author::Author;
use super::disk::{Errno, FailureCount, StepKind};
use super::fixture::{CHECKPOINTED_AFTER, DiskFixture, InitialLog, LONG_BYTES, empty, text};
use super::write_cache::{DiskChange, WriteCache};
use super::{is_long, seed};
use crate::support::{Rng, eventually};

/// The number of power failures for each recording.
const CUTS: u64 = 2;
const CUTS_LONG: u64 = 100;
const SHORT: &str = "a few words";
/// The file into which SQLite checkpoints the -wal.
const DATABASE: &str = "duplex.db";

/// A node whose disk keeps a journal. All places are lengths of that journal.
struct Recording {
    fixture: DiskFixture,
    before_restore: AuthorTimeline,
    after_restore: Option<AuthorTimeline>,
    /// The places at which the restore began and ended.
    restore: (u64, u64),
    /// The places at which the steps of the recording ended. A cut is equally likely in each step.
    step_ends: Vec<u64>,
}

/// An author, with the places at which their events were acknowledged.
struct AuthorTimeline {
    author: Author,
    /// The number of events that the log had before the recording.
    initial_events: usize,
    /// The place by which the author was signed in for certain.
    since: u64,
    /// The place at which each event was acknowledged.
    acknowledged_at: Vec<u64>,
}

#[tokio::test]
async fn a_power_cut_loses_nothing_acknowledged() {
    let mut recording = Recording::begin().await;
    recording.publish(10, SHORT).await;
    recording.stop().await;
    recording.start();
    recording.publish(10, SHORT).await;
    recording.kill();
    recording.start();
    recording.publish(CHECKPOINTED_AFTER, &"x".repeat(LONG_BYTES)).await;
    assert!(recording.has_checkpointed(), "SQLite has not checkpointed the -wal");
    recording.kill();
    recording.start();
    recording.publish(5, SHORT).await;
    recording.stop().await;
    recording.restore().await;
    recording.start();
    recording.publish(10, SHORT).await;
    recording.kill();
    recording.start();
    recording.publish(5, SHORT).await;
    recording.stop().await;
    recording.cut_power_repeatedly().await;
}

#[tokio::test]
async fn a_power_cut_after_syncs_that_failed_loses_nothing_acknowledged() {
    let mut recording = Recording::begin().await;
    let mut rng = Rng::new(seed());
    let events = if is_long() { CHECKPOINTED_AFTER } else { CHECKPOINTED_AFTER / 4 };
    for number in 0..events {
        if rng.one_in(4) {
            recording.fixture.disk.fail(&[StepKind::Sync], FailureCount::Next(1), Errno::Broken);
        }
        recording.publish_with_retries(&"x".repeat(if number % 8 == 0 { 8 } else { LONG_BYTES })).await;
    }
    recording.fixture.disk.mend();
    let failed = recording.fixture.disk.failed();
    assert!(failed > 2, "{failed} syncs failed");
    recording.kill();
    recording.cut_power_repeatedly().await;
}

impl Recording {
    /// Begins the recording with a node that starts in an empty folder, and with its first guest.
    async fn begin() -> Recording {
        let mut fixture = DiskFixture::with(InitialLog::Nothing).await;
        fixture.reset();
        assert!(fixture.server.try_restart_with_env(fixture.disk.env_vars_with_journal()));
        let author = Author::new(&fixture.server).await;
        let since = fixture.disk.journal_bytes();
        let before_restore = AuthorTimeline { author, initial_events: 0, since, acknowledged_at: Vec::new() };
        let restore = (u64::MAX, u64::MAX);
        Recording { fixture, before_restore, after_restore: None, restore, step_ends: vec![since] }
    }

    fn start(&mut self) {
        assert!(self.fixture.server.try_restart_with_env(self.fixture.disk.env_vars_with_journal()));
        self.end_step();
    }

    async fn stop(&mut self) {
        self.fixture.server.terminate();
        assert!(self.fixture.server.ended().await.success());
        self.end_step();
    }

    fn kill(&mut self) {
        self.fixture.server.kill();
        self.end_step();
    }

    async fn publish(&mut self, count: usize, text: &str) {
        for _ in 0..count {
            let timeline = self.after_restore.as_mut().unwrap_or(&mut self.before_restore);
            assert!(timeline.author.publish_one(text).await);
            timeline.acknowledged_at.push(self.fixture.disk.journal_bytes());
        }
        self.end_step();
    }

    /// Publishes an event, and retries until it is acknowledged.
    async fn publish_with_retries(&mut self, text: &str) {
        let timeline = &mut self.before_restore;
        if !timeline.author.publish_one(text).await {
            eventually("the event is acknowledged", async || {
                timeline.author.retry_unanswered().await.then_some(())
            })
            .await;
        }
        timeline.acknowledged_at.push(self.fixture.disk.journal_bytes());
    }

    /// Returns true if the last step wrote to the database file.
    fn has_checkpointed(&self) -> bool {
        let since = self.step_ends[self.step_ends.len() - 2];
        self.fixture.disk.journal().iter().any(|(end, change)| *end > since && is_checkpoint(change))
    }

    async fn restore(&mut self) {
        let from = self.fixture.disk.journal_bytes();
        let backup = self.fixture.backup();
        let variables = self.fixture.disk.env_vars_with_journal();
        assert!(self.fixture.run(&["restore", text(&backup)], variables).await);
        self.end_step();
        self.restore = (from, self.fixture.disk.journal_bytes());
        let author = self.fixture.author_of_backup.clone();
        let initial_events = author.acknowledged();
        self.after_restore =
            Some(AuthorTimeline { author, initial_events, since: 0, acknowledged_at: Vec::new() });
    }

    fn end_step(&mut self) {
        self.step_ends.push(self.fixture.disk.journal_bytes());
    }

    /// Cuts the power many times, each time at another place.
    async fn cut_power_repeatedly(&mut self) {
        let journal = self.fixture.disk.journal();
        let cuts = if is_long() { CUTS_LONG } else { CUTS };
        for cut in 0..cuts {
            let mut rng = Rng::new(seed() << 16 | cut);
            let places = self.places(&journal, &mut rng);
            let at = places[rng.range(0..places.len() as u64) as usize];
            eprintln!("power cut {cut}, at {at}");
            self.cut_power(&journal, at, rng).await;
        }
    }

    /// Returns candidate places for a cut. Every third time these are the writes to the database file; otherwise they
    /// are the places of one random step, since a start has few places and publishing has many.
    fn places(&self, journal: &[(u64, DiskChange)], rng: &mut Rng) -> Vec<u64> {
        if rng.one_in(3) {
            return journal.iter().filter(|(_, change)| is_checkpoint(change)).map(|(end, _)| *end).collect();
        }
        let step = rng.range(0..self.step_ends.len() as u64) as usize;
        let from = if step == 0 { 0 } else { self.step_ends[step - 1] };
        let within = |end: &u64| (from..=self.step_ends[step]).contains(end);
        journal.iter().map(|(end, _)| *end).filter(within).collect()
    }

    async fn cut_power(&mut self, journal: &[(u64, DiskChange)], at: u64, rng: Rng) {
        let mut cache = WriteCache::new(rng);
        journal.iter().take_while(|(end, _)| *end <= at).for_each(|(_, change)| cache.apply(change));
        let data = self.fixture.server.data().to_owned();
        empty(&data);
        for (name, bytes) in cache.cut() {
            fs::write(data.join(name), bytes).expect("the file can be written");
        }
        let mut authors = Vec::new();
        if self.before_restore.since <= at && at < self.restore.1 {
            authors.push(self.before_restore.at(at));
        }
        if let Some(timeline) = &self.after_restore
            && self.restore.0 <= at
        {
            authors.push(timeline.at(at));
        }
        self.fixture.assert_recovers(&authors.iter().collect::<Vec<_>>()).await;
    }
}

/// Returns true if the change is a write to the database file.
fn is_checkpoint(change: &DiskChange) -> bool {
    matches!(change, DiskChange::Write(name, ..) if name == DATABASE)
}

impl AuthorTimeline {
    /// Returns the author as of a place in the journal.
    fn at(&self, place: u64) -> Author {
        let acknowledged = self.acknowledged_at.iter().filter(|at| **at <= place).count();
        self.author.when_acknowledged(self.initial_events + acknowledged)
    }
}
