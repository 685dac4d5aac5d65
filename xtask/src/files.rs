//! File operations whose errors name the path.

use crate::failure::{Failure, Result};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| cannot("read", path, error))
}

/// Reads a text file; fails if it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let text = try_read_text(path)?;
    text.ok_or_else(|| format!("cannot read {}: it is not UTF-8 text", path.display()).into())
}

/// Reads a text file; returns None if it is not UTF-8, such as an image.
pub(crate) fn try_read_text(path: &Path) -> Result<Option<String>> {
    Ok(String::from_utf8(read(path)?).ok())
}

/// Writes a file and creates its parent folders.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result {
    create_dir(path.parent().unwrap_or(path))?;
    fs::write(path, bytes).map_err(|error| cannot("write", path, error))
}

/// Creates a folder and its parents where they do not exist.
pub(crate) fn create_dir(folder: &Path) -> Result {
    fs::create_dir_all(folder).map_err(|error| cannot("create", folder, error))
}

/// Copies a file and creates the parent folders of the copy.
pub(crate) fn copy(from: &Path, to: &Path) -> Result {
    create_dir(to.parent().unwrap_or(to))?;
    fs::copy(from, to).map(drop).map_err(|error| cannot(&format!("copy {} to", from.display()), to, error))
}

/// Renames a file or folder.
pub(crate) fn rename(from: &Path, to: &Path) -> Result {
    fs::rename(from, to).map_err(|error| cannot(&format!("rename {} to", from.display()), to, error))
}

/// Removes a file, or a folder with its contents. Returns false if the path does not exist.
pub(crate) fn remove(path: &Path) -> Result<bool> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(cannot("remove", path, error)),
    }
}

/// Lists all files below a folder, sorted. A file yields itself; a path that does not exist yields nothing.
pub(crate) fn walk(path: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in list_dir(path)? {
            files.extend(walk(&entry)?);
        }
    } else if path.exists() {
        files.push(path.to_path_buf());
    }
    Ok(files)
}

/// Lists the entries of a folder, sorted.
pub(crate) fn list_dir(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed: io::Result<Vec<PathBuf>> =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths = listed.map_err(|error| cannot("list", folder, error))?;
    paths.sort();
    Ok(paths)
}

fn cannot(act: &str, path: &Path, error: io::Error) -> Failure {
    format!("cannot {act} {}: {error}", path.display()).into()
}
