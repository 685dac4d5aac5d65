//! `WriteCache`: a model of the bytes that are on disk, and of those that only the operating system has so far.
//!
//! It replays a journal and returns the content that a power failure may leave, by the rules that SQLite relies on and
//! no others. Synced bytes stay. Each unsynced write is there, missing, or torn at the sectors of the disk, in any
//! order. A new name is on disk once its folder is synced; until then the disk has a prefix of the folder's changes,
//! since all file systems with a journal keep them in order. On some of them, such as ext4, syncing a file also syncs
//! its folder. After a failed sync the system considers the unwritten bytes clean, and never writes them later.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::Rng;

/// A change of the disk, as the journal has it. Names of files are relative to the folder.
#[derive(Debug, Clone)]
pub enum DiskChange {
    /// Creates an empty file.
    Create(String),
    /// Writes bytes to a file, at an offset.
    Write(String, usize, Vec<u8>),
    /// Sets the length of a file.
    Truncate(String, usize),
    /// Syncs a file or the folder.
    Sync(String),
    /// Fails to sync a file or the folder.
    FailedSync(String),
    /// Renames a file from the first name to the second.
    Rename(String, String),
    /// Gives the file with the first name the second name too.
    Link(String, String),
    /// Removes a name.
    Unlink(String),
}

impl DiskChange {
    /// Parses a line of the journal, with the bytes that follow it. Returns the change and the number of bytes used.
    pub fn parse(line: &str, bytes: &[u8]) -> (DiskChange, usize) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [kind, path, to, offset, count] = fields[..] else { panic!("{line} is not a change") };
        let number = |text: &str| text.parse().expect("a number");
        let name = |path: &str| {
            let name = Path::new(path).file_name().expect("the path has a file name").to_string_lossy();
            name.into_owned()
        };
        let path = name(path);
        let offset = number(offset);
        let count = number(count);
        let change = match kind {
            "create" => DiskChange::Create(path),
            "write" => DiskChange::Write(path, offset, bytes[..count].to_vec()),
            "truncate" => DiskChange::Truncate(path, offset),
            "sync" => DiskChange::Sync(path),
            "failed-sync" => DiskChange::FailedSync(path),
            "rename" => DiskChange::Rename(path, name(to)),
            "link" => DiskChange::Link(path, name(to)),
            "unlink" => DiskChange::Unlink(path),
            _ => panic!("{line} is not a change"),
        };
        (change, count)
    }
}

/// The files of one folder, as the program sees them and as the disk has them.
pub struct WriteCache<'a> {
    files: Vec<CachedFile<'a>>,
    /// The index in `files` of each name, as the program sees it.
    names: BTreeMap<&'a str, usize>,
    names_on_disk: BTreeMap<&'a str, usize>,
    unsynced_names: Vec<DirectoryChange<'a>>,
    file_sync_takes_folder: bool,
    sector_bytes: usize,
    rng: Rng,
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

enum DirectoryChange<'a> {
    Add(&'a str, usize),
    Move(&'a str, &'a str, usize),
    Remove(&'a str),
}

/// The share of the unsynced changes that is on disk.
#[derive(Clone, Copy)]
enum Persisted {
    Nothing,
    Everything,
    Some,
}

impl<'a> WriteCache<'a> {
    /// Creates the model of an empty folder, on a random kind of disk.
    pub fn new(mut rng: Rng) -> WriteCache<'a> {
        let file_sync_takes_folder = rng.one_in(2);
        let sector_bytes = if rng.one_in(2) { 512 } else { 4_096 };
        WriteCache {
            files: Vec::new(),
            names: BTreeMap::new(),
            names_on_disk: BTreeMap::new(),
            unsynced_names: Vec::new(),
            file_sync_takes_folder,
            sector_bytes,
            rng,
        }
    }

    /// Applies a change of the program.
    pub fn apply(&mut self, change: &'a DiskChange) {
        match change {
            DiskChange::Create(name) => {
                self.files.push(CachedFile::default());
                let file = self.files.len() - 1;
                self.names.insert(name, file);
                self.unsynced_names.push(DirectoryChange::Add(name, file));
            }
            DiskChange::Write(name, offset, bytes) => {
                self.file(name).unsynced.push(FileChange::Write(*offset, bytes));
            }
            DiskChange::Truncate(name, length) => {
                self.file(name).unsynced.push(FileChange::Truncate(*length))
            }
            DiskChange::Sync(name) => self.sync(name),
            DiskChange::FailedSync(name) => self.fail_to_sync(name),
            DiskChange::Rename(from, to) => {
                let file = self.names.remove(from.as_str()).expect("it was created");
                self.names.insert(to, file);
                self.unsynced_names.push(DirectoryChange::Move(from, to, file));
            }
            DiskChange::Link(from, to) => {
                let file = self.names[from.as_str()];
                self.names.insert(to, file);
                self.unsynced_names.push(DirectoryChange::Add(to, file));
            }
            DiskChange::Unlink(name) => {
                self.names.remove(name.as_str());
                self.unsynced_names.push(DirectoryChange::Remove(name));
            }
        }
    }

    /// Cuts the power. Returns the files that are on the disk afterwards.
    pub fn cut(mut self) -> BTreeMap<&'a str, Vec<u8>> {
        let names = self.rng.range(0..self.unsynced_names.len() as u64 + 1) as usize;
        self.write_names(names);
        let persisted = [Persisted::Nothing, Persisted::Everything, Persisted::Some, Persisted::Some]
            [self.rng.range(0..4) as usize];
        let found = std::mem::take(&mut self.names_on_disk).into_iter().map(|(name, file)| {
            self.persist(file, persisted);
            (name, self.files[file].on_disk.clone())
        });
        found.collect()
    }

    fn file(&mut self, name: &str) -> &mut CachedFile<'a> {
        let file = self.names.get(name).unwrap_or_else(|| panic!("{name} was written but never created"));
        &mut self.files[*file]
    }

    /// Syncs a file, or the folder if no file has that name.
    fn sync(&mut self, name: &str) {
        let file = self.names.get(name).copied();
        if let Some(file) = file {
            self.persist(file, Persisted::Everything);
        }
        if file.is_none() || self.file_sync_takes_folder {
            self.write_names(self.unsynced_names.len());
        }
    }

    fn fail_to_sync(&mut self, name: &str) {
        if let Some(file) = self.names.get(name).copied() {
            self.persist(file, Persisted::Some);
        }
    }

    fn write_names(&mut self, count: usize) {
        for change in self.unsynced_names.drain(..count) {
            match change {
                DirectoryChange::Add(name, file) => _ = self.names_on_disk.insert(name, file),
                DirectoryChange::Move(from, to, file) => {
                    self.names_on_disk.remove(from);
                    self.names_on_disk.insert(to, file);
                }
                DirectoryChange::Remove(name) => _ = self.names_on_disk.remove(name),
            }
        }
    }

    /// Writes this share of the unsynced changes of a file to the disk, and drops the others.
    fn persist(&mut self, file: usize, persisted: Persisted) {
        let CachedFile { on_disk, unsynced } = &mut self.files[file];
        for change in unsynced.drain(..) {
            let is_torn = match persisted {
                Persisted::Nothing => continue,
                Persisted::Everything => false,
                Persisted::Some => match self.rng.range(0..3) {
                    0 => continue,
                    kind => kind == 1,
                },
            };
            match change {
                FileChange::Truncate(length) => on_disk.resize(length, 0),
                FileChange::Write(offset, bytes) => {
                    for (at, part) in sectors(offset, bytes, self.sector_bytes) {
                        if !is_torn || self.rng.one_in(2) {
                            put(on_disk, at, part);
                        }
                    }
                }
            }
        }
    }
}

/// Splits a write into the parts that the disk writes atomically, each with its offset.
fn sectors(offset: usize, bytes: &[u8], sector_bytes: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = offset;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, others) = rest.split_at(rest.len().min(sector_bytes - at % sector_bytes));
        let sector = (at, part);
        at += part.len();
        rest = others;
        Some(sector)
    })
}

/// Writes bytes into a file. A gap before them is filled with zeros.
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

    fn cut(changes: &[DiskChange], seed: u64) -> BTreeMap<&str, Vec<u8>> {
        let mut cache = WriteCache::new(Rng::new(seed));
        changes.iter().for_each(|change| cache.apply(change));
        cache.cut()
    }

    #[test]
    fn synced_bytes_are_on_every_disk_and_unsynced_ones_on_some() {
        let changes = [
            DiskChange::Create(named("a")),
            DiskChange::Write(named("a"), 0, vec![1; 1_024]),
            DiskChange::Sync(named("a")),
            DiskChange::Sync(named("folder")),
            DiskChange::Write(named("a"), 512, vec![2; 1_024]),
        ];
        let found: Vec<Vec<u8>> = (0..200).map(|seed| cut(&changes, seed)["a"].clone()).collect();
        assert!(found.iter().all(|bytes| bytes[..512] == [1; 512]));
        assert!(found.iter().any(|bytes| *bytes == [1; 1_024]), "lost");
        assert!(found.iter().any(|bytes| bytes[512..] == [2; 1_024]), "kept");
        assert!(found.iter().any(|bytes| bytes[512..1_024] == [1; 512] && bytes.len() == 1_536), "torn");
    }

    #[test]
    fn name_changes_reach_the_disk_in_order_and_bytes_of_a_failed_sync_may_be_lost_for_good() {
        let changes = [
            DiskChange::Create(named("a")),
            DiskChange::Write(named("a"), 0, vec![1; 512]),
            DiskChange::FailedSync(named("a")),
            DiskChange::Sync(named("a")),
            DiskChange::Rename(named("a"), named("b")),
            DiskChange::Create(named("c")),
        ];
        let found: Vec<_> = (0..200).map(|seed| cut(&changes, seed)).collect();
        assert!(
            found.iter().any(|files| files.is_empty()),
            "on some disks, syncing a file does not sync the folder"
        );
        assert!(found.iter().all(|files| !files.contains_key("c") || files.contains_key("b")));
        assert!(found.iter().any(|files| files.get("b").is_some_and(|bytes| bytes.is_empty())), "lost");
        assert!(found.iter().any(|files| files.get("b").is_some_and(|bytes| !bytes.is_empty())), "written");
    }
}
