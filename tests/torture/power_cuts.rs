//! The power fails. A node is recorded through starts, publishes, a kill and a restore; then, again and again, the
//! recording is cut somewhere, the disk is given back as it may be found, and a node starts on it.
//!
//! `DUPLEX_POWER_CUTS` says how often.

use std::fs;

use super::author::Author;
use super::disk::{Errno, FaultyDisk, Kind, Times};
use super::stage::{FAST, Stage, empty, run, text};
use super::write_cache::{Change, WriteCache};
use super::{number, seed};
use crate::support::{Dice, TestServer, Variables};

const CUTS: u64 = 3;
/// As long as a payload may be.
const LONG: usize = 8_000;
/// So many long ones fill the -wal more than once: SQLite folds it in at a thousand pages.
const FOLDED_AFTER: usize = 220;

/// What was done to the disk, and what was acknowledged when.
struct Recording {
    changes: Vec<(u64, Change)>,
    /// The length of the journal when each event was acknowledged, in their order.
    acknowledged_at: Vec<u64>,
    /// Ends of the phases, in the journal: a cut is as likely in each.
    phases: Vec<u64>,
    author: Author,
}

/// A recording under way.
struct Recorder {
    server: TestServer,
    disk: FaultyDisk,
    author: Author,
    acknowledged_at: Vec<u64>,
    phases: Vec<u64>,
}
