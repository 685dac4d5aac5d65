//! The power fails. A node is recorded at its work; then, again and again, the recording ends somewhere, the disk is
//! given what it may hold then, and a node starts on it.

use std::fs;

use super::author::Author;
use super::disk::{Errno, Kind, Times};
use super::stage::{FOLDED_AFTER, Found, LONG_BYTES, Stage, empty, text};
use super::write_cache::{Change, WriteCache};
use super::{is_long, seed};
use crate::support::{Dice, eventually};

/// For each recording.
const CUTS: u64 = 2;
const CUTS_LONG: u64 = 100;
const SHORT: &str = "a few words";
/// The file that the -wal is folded into.
const DATABASE: &str = "duplex.db";

/// A node at its work, whose disk keeps a journal. All places are lengths of that journal.
struct Recording {
    stage: Stage,
    before_restore: Diary,
    after_restore: Option<Diary>,
    /// From where to where the restore went.
    restore: (u64, u64),
    /// The ends of what was done: a cut is as likely in one as in the other.
    ends: Vec<u64>,
}

/// An author, and when they were told what.
struct Diary {
    author: Author,
    /// The events that the log had before the recording.
    known: usize,
    /// When the author was sure to be known to the node.
    since: u64,
    /// When each event was acknowledged.
    acknowledged_at: Vec<u64>,
}

#[tokio::test]
async fn a_power_cut_loses_nothing_acknowledged() {
    let mut recording = Recording::begin().await;
    recording.publishes(10, SHORT).await;
    recording.stops().await;
    recording.starts();
    recording.publishes(10, SHORT).await;
    recording.is_killed();
    recording.starts();
    recording.publishes(FOLDED_AFTER, &"x".repeat(LONG_BYTES)).await;
    assert!(recording.has_folded(), "SQLite has not folded the -wal in");
    recording.is_killed();
    recording.starts();
    recording.publishes(5, SHORT).await;
    recording.stops().await;
    recording.is_restored().await;
    recording.starts();
    recording.publishes(10, SHORT).await;
    recording.is_killed();
    recording.starts();
    recording.publishes(5, SHORT).await;
    recording.stops().await;
    recording.cuts().await;
}

#[tokio::test]
async fn a_power_cut_after_syncs_that_failed_loses_nothing_acknowledged() {
    let mut recording = Recording::begin().await;
    let mut dice = Dice::new(seed());
    for number in 0..if is_long() { FOLDED_AFTER } else { FOLDED_AFTER / 4 } {
        if dice.within(0..4) == 0 {
            recording.stage.disk.fail(&[Kind::Sync], Times::Next(1), Errno::Broken);
        }
        recording.publishes_at_last(&"x".repeat(if number % 8 == 0 { 8 } else { LONG_BYTES })).await;
    }
    recording.stage.disk.mend();
    let failed = recording.stage.disk.failed();
    assert!(failed > 2, "{failed} syncs failed");
    recording.is_killed();
    recording.cuts().await;
}

impl Recording {
    /// A recording of a node that starts in an empty folder, and of its first guest.
    async fn begin() -> Recording {
        let mut stage = Stage::with(Found::Nothing).await;
        stage.set();
        assert!(stage.server.restarts_under(stage.disk.variables_with_journal()));
        let (author, since) = (Author::arrives(&stage.server).await, stage.disk.journal_bytes());
        let before_restore = Diary { author, known: 0, since, acknowledged_at: Vec::new() };
        let restore = (u64::MAX, u64::MAX);
        Recording { stage, before_restore, after_restore: None, restore, ends: vec![since] }
    }

    fn starts(&mut self) {
        assert!(self.stage.server.restarts_under(self.stage.disk.variables_with_journal()));
        self.ends();
    }

    async fn stops(&mut self) {
        self.stage.server.terminate();
        assert!(self.stage.server.ended().await.success());
        self.ends();
    }

    fn is_killed(&mut self) {
        self.stage.server.kill();
        self.ends();
    }

    async fn publishes(&mut self, count: usize, text: &str) {
        for _ in 0..count {
            let diary = self.after_restore.as_mut().unwrap_or(&mut self.before_restore);
            assert!(diary.author.publishes_one(text).await);
            diary.acknowledged_at.push(self.stage.disk.journal_bytes());
        }
        self.ends();
    }

    /// Asks until it is acknowledged.
    async fn publishes_at_last(&mut self, text: &str) {
        let diary = &mut self.before_restore;
        if !diary.author.publishes_one(text).await {
            eventually("it is acknowledged", async || diary.author.asks_again().await.then_some(())).await;
        }
        diary.acknowledged_at.push(self.stage.disk.journal_bytes());
    }

    /// True if something was written to the database itself in what ended last.
    fn has_folded(&self) -> bool {
        let since = self.ends[self.ends.len() - 2];
        self.stage.disk.journal().iter().any(|(end, change)| *end > since && is_fold(change))
    }

    async fn is_restored(&mut self) {
        let from = self.stage.disk.journal_bytes();
        let backup = self.stage.backup();
        let variables = self.stage.disk.variables_with_journal();
        assert!(self.stage.runs(&["restore", text(&backup)], variables).await);
        self.ends();
        self.restore = (from, self.stage.disk.journal_bytes());
        let author = self.stage.author_of_backup.clone();
        let known = author.acknowledged();
        self.after_restore = Some(Diary { author, known, since: 0, acknowledged_at: Vec::new() });
    }

    fn ends(&mut self) {
        self.ends.push(self.stage.disk.journal_bytes());
    }

    /// Cuts the power as often as is wanted, each time at another place.
    async fn cuts(&mut self) {
        let journal = self.stage.disk.journal();
        for cut in 0..if is_long() { CUTS_LONG } else { CUTS } {
            let mut dice = Dice::new(seed() << 16 | cut);
            let places = self.places(&journal, &mut dice);
            let at = places[dice.within(0..places.len() as u64) as usize];
            eprintln!("cut {cut} of the power, at {at}");
            self.is_cut(&journal, at, dice).await;
        }
    }

    /// Places of which one is to be chosen: every third time those where the database itself is written, else those of
    /// something that the node did, as a start has few and publishing many.
    fn places(&self, journal: &[(u64, Change)], dice: &mut Dice) -> Vec<u64> {
        if dice.within(0..3) == 0 {
            return journal.iter().filter(|(_, change)| is_fold(change)).map(|(end, _)| *end).collect();
        }
        let last = dice.within(0..self.ends.len() as u64) as usize;
        let from = if last == 0 { 0 } else { self.ends[last - 1] };
        let within = |end: &u64| (from..=self.ends[last]).contains(end);
        journal.iter().map(|(end, _)| *end).filter(within).collect()
    }

    async fn is_cut(&mut self, journal: &[(u64, Change)], at: u64, dice: Dice) {
        let mut cache = WriteCache::new(dice);
        journal.iter().take_while(|(end, _)| *end <= at).for_each(|(_, change)| cache.apply(change));
        let data = self.stage.server.data().to_owned();
        empty(&data);
        for (name, bytes) in cache.cut() {
            fs::write(data.join(name), bytes).expect("there is room");
        }
        let old = Some(&self.before_restore).filter(|old| old.since <= at && at < self.restore.1);
        let new = self.after_restore.as_ref().filter(|_| self.restore.0 <= at);
        let authors: Vec<Author> = old.into_iter().chain(new).map(|diary| diary.at(at)).collect();
        self.stage.goes_on(&authors.iter().collect::<Vec<_>>()).await;
    }
}

/// True if it writes to the database itself.
fn is_fold(change: &Change) -> bool {
    matches!(change, Change::Write(name, ..) if name == DATABASE)
}

impl Diary {
    /// The author at that time.
    fn at(&self, place: u64) -> Author {
        let told = self.acknowledged_at.iter().filter(|at| **at <= place).count();
        self.author.when_acknowledged(self.known + told)
    }
}
