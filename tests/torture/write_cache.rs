//! `WriteCache`: the part of what a program wrote that is on disk, and the part that only the system has as yet.
//!
//! It replays a journal and says what a power cut may leave, by the rules that SQLite relies on and no others. Synced
//! bytes stay. Of those that are not, each write is there, missing, or torn at the sectors of the disk, in no order. A
//! new name is on disk once its folder is synced; until then the folder has a beginning of its changes, as all file
//! systems with a journal keep them in order. On some of them, such as ext4, the sync of a file takes the folder along.
//! After a sync that failed the system holds for clean what it could not write: it is never written later on.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::Dice;

/// A change of the disk, as the journal has it. Files are named within the folder, which has no name itself.
#[derive(Debug, Clone)]
pub enum Change {
    /// There is a new and empty file.
    Create(String),
    /// Bytes of a file, from an offset on.
    Write(String, usize, Vec<u8>),
    /// A file is as long as that.
    Truncate(String, usize),
    /// A file or the folder is on disk.
    Sync(String),
    /// It was to be, and the disk failed.
    FailedSync(String),
    /// A file has the second name in place of the first.
    Rename(String, String),
    /// A file has the second name too.
    Link(String, String),
    /// A name is gone.
    Unlink(String),
}

impl Change {
    /// Reads a line of the journal, and the bytes behind it that belong to it; says how many these are.
    pub fn parse(line: &str, bytes: &[u8]) -> (Change, usize) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [what, path, to, offset, count] = fields[..] else { panic!("{line} is no change") };
        let number = |text: &str| text.parse().expect("a number");
        let name = |path: &str| {
            let name = Path::new(path).file_name().expect("it lies below the root").to_string_lossy();
            name.into_owned()
        };
        let (path, to, offset, count) = (name(path), || name(to), number(offset), number(count));
        let change = match what {
            "create" => Change::Create(path),
            "write" => Change::Write(path, offset, bytes[..count].to_vec()),
            "truncate" => Change::Truncate(path, offset),
            "sync" => Change::Sync(path),
            "failed-sync" => Change::FailedSync(path),
            "rename" => Change::Rename(path, to()),
            "link" => Change::Link(path, to()),
            "unlink" => Change::Unlink(path),
            _ => panic!("{line} is no change"),
        };
        (change, count)
    }
}

/// The files of one folder, as the program sees them and as the disk has them.
pub struct WriteCache<'a> {
    files: Vec<CachedFile<'a>>,
    /// As the program sees them: the place of each file in `files`.
    names: BTreeMap<&'a str, usize>,
    names_on_disk: BTreeMap<&'a str, usize>,
    unsynced_names: Vec<NameChange<'a>>,
    file_sync_takes_folder: bool,
    sector_bytes: usize,
    dice: Dice,
}

#[derive(Default)]
struct CachedFile<'a> {
    on_disk: Vec<u8>,
    unsynced: Vec<FileChange<'a>>,
}

enum FileChange<'a> {
    Write(usize, &'a [u8]),
    Truncate(usize),
}

enum NameChange<'a> {
    Add(&'a str, usize),
    Move(&'a str, &'a str, usize),
    Remove(&'a str),
}

/// The share of what was not synced that is on disk.
#[derive(Clone, Copy)]
enum Luck {
    Nothing,
    Everything,
    Some,
}

impl<'a> WriteCache<'a> {
    /// One of an empty folder, on a disk of a kind that the dice choose.
    pub fn new(mut dice: Dice) -> WriteCache<'a> {
        let file_sync_takes_folder = dice.within(0..2) == 0;
        let sector_bytes = if dice.within(0..2) == 0 { 512 } else { 4_096 };
        WriteCache {
            files: Vec::new(),
            names: BTreeMap::new(),
            names_on_disk: BTreeMap::new(),
            unsynced_names: Vec::new(),
            file_sync_takes_folder,
            sector_bytes,
            dice,
        }
    }

    /// Takes note of what the program did.
    pub fn apply(&mut self, change: &'a Change) {
        match change {
            Change::Create(name) => {
                self.files.push(CachedFile::default());
                let file = self.files.len() - 1;
                self.names.insert(name, file);
                self.unsynced_names.push(NameChange::Add(name, file));
            }
            Change::Write(name, offset, bytes) => {
                self.file(name).unsynced.push(FileChange::Write(*offset, bytes));
            }
            Change::Truncate(name, length) => self.file(name).unsynced.push(FileChange::Truncate(*length)),
            Change::Sync(name) => self.sync(name),
            Change::FailedSync(name) => self.fail_to_sync(name),
            Change::Rename(from, to) => {
                let file = self.names.remove(from.as_str()).expect("it was created");
                self.names.insert(to, file);
                self.unsynced_names.push(NameChange::Move(from, to, file));
            }
            Change::Link(from, to) => {
                let file = self.names[from.as_str()];
                self.names.insert(to, file);
                self.unsynced_names.push(NameChange::Add(to, file));
            }
            Change::Unlink(name) => {
                self.names.remove(name.as_str());
                self.unsynced_names.push(NameChange::Remove(name));
            }
        }
    }

    /// The power fails. Returns the files that are found on the disk afterwards.
    pub fn cut(mut self) -> BTreeMap<&'a str, Vec<u8>> {
        let kept = self.dice.within(0..self.unsynced_names.len() as u64 + 1) as usize;
        self.write_names(kept);
        let luck = [Luck::Nothing, Luck::Everything, Luck::Some, Luck::Some][self.dice.within(0..4) as usize];
        let found = std::mem::take(&mut self.names_on_disk).into_iter().map(|(name, file)| {
            self.write_with_luck(file, luck);
            (name, self.files[file].on_disk.clone())
        });
        found.collect()
    }

    fn file(&mut self, name: &str) -> &mut CachedFile<'a> {
        let file = self.names.get(name).unwrap_or_else(|| panic!("{name} was written and never created"));
        &mut self.files[*file]
    }

    /// Syncs a file, or the folder where no file has that name.
    fn sync(&mut self, name: &str) {
        let file = self.names.get(name).copied();
        if let Some(file) = file {
            self.write_with_luck(file, Luck::Everything);
        }
        if file.is_none() || self.file_sync_takes_folder {
            self.write_names(self.unsynced_names.len());
        }
    }

    fn fail_to_sync(&mut self, name: &str) {
        if let Some(file) = self.names.get(name).copied() {
            self.write_with_luck(file, Luck::Some);
        }
    }

    fn write_names(&mut self, count: usize) {
        for change in self.unsynced_names.drain(..count) {
            match change {
                NameChange::Add(name, file) => _ = self.names_on_disk.insert(name, file),
                NameChange::Move(from, to, file) => {
                    self.names_on_disk.remove(from);
                    self.names_on_disk.insert(to, file);
                }
                NameChange::Remove(name) => _ = self.names_on_disk.remove(name),
            }
        }
    }

    /// Writes what was not synced as luck has it, and forgets the rest.
    fn write_with_luck(&mut self, file: usize, luck: Luck) {
        let CachedFile { on_disk, unsynced } = &mut self.files[file];
        for change in unsynced.drain(..) {
            let is_torn = match luck {
                Luck::Nothing => continue,
                Luck::Everything => false,
                Luck::Some => match self.dice.within(0..3) {
                    0 => continue,
                    kind => kind == 1,
                },
            };
            match change {
                FileChange::Truncate(length) => on_disk.resize(length, 0),
                FileChange::Write(offset, bytes) => {
                    for (at, part) in sectors(offset, bytes, self.sector_bytes) {
                        if !is_torn || self.dice.within(0..2) == 0 {
                            put(on_disk, at, part);
                        }
                    }
                }
            }
        }
    }
}

/// The parts of a write that the disk writes at once, each with its offset.
fn sectors(offset: usize, bytes: &[u8], sector_bytes: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let (mut at, mut rest) = (offset, bytes);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, others) = rest.split_at(rest.len().min(sector_bytes - at % sector_bytes));
        let found = (at, part);
        (at, rest) = (at + part.len(), others);
        Some(found)
    })
}

/// Writes bytes into a file; a gap before them is filled with zeros.
fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

mod tests {
    use super::*;

    fn named(name: &str) -> String {
        name.to_owned()
    }

    fn cut(changes: &[Change], seed: u64) -> BTreeMap<&str, Vec<u8>> {
        let mut cache = WriteCache::new(Dice::new(seed));
        changes.iter().for_each(|change| cache.apply(change));
        cache.cut()
    }

    #[test]
    fn what_is_synced_is_on_every_disk_and_what_is_not_on_some() {
        let changes = [
            Change::Create(named("a")),
            Change::Write(named("a"), 0, vec![1; 1_024]),
            Change::Sync(named("a")),
            Change::Sync(named("folder")),
            Change::Write(named("a"), 512, vec![2; 1_024]),
        ];
        let found: Vec<Vec<u8>> = (0..200).map(|seed| cut(&changes, seed)["a"].clone()).collect();
        assert!(found.iter().all(|bytes| bytes[..512] == [1; 512]));
        assert!(found.iter().any(|bytes| *bytes == [1; 1_024]), "lost");
        assert!(found.iter().any(|bytes| bytes[512..] == [2; 1_024]), "kept");
        assert!(found.iter().any(|bytes| bytes[512..1_024] == [1; 512] && bytes.len() == 1_536), "torn");
    }

    #[test]
    fn names_come_in_their_order_and_what_failed_to_be_synced_may_be_lost_for_good() {
        let changes = [
            Change::Create(named("a")),
            Change::Write(named("a"), 0, vec![1; 512]),
            Change::FailedSync(named("a")),
            Change::Sync(named("a")),
            Change::Rename(named("a"), named("b")),
            Change::Create(named("c")),
        ];
        let found: Vec<_> = (0..200).map(|seed| cut(&changes, seed)).collect();
        assert!(found.iter().any(|files| files.is_empty()), "where a file's sync leaves the folder alone");
        assert!(found.iter().all(|files| !files.contains_key("c") || files.contains_key("b")));
        assert!(found.iter().any(|files| files.get("b").is_some_and(|bytes| bytes.is_empty())), "lost");
        assert!(found.iter().any(|files| files.get("b").is_some_and(|bytes| !bytes.is_empty())), "written");
    }
}
