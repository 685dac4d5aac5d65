//! Reading, writing and listing files, with errors that name the path.

use crate::failure::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// A file's bytes.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

/// A file's text.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let text = try_read_text(path)?;
    text.ok_or_else(|| format!("cannot read {}: it is not UTF-8 text", path.display()).into())
}

/// A file's text; None if its bytes are not UTF-8, as those of an image.
pub(crate) fn try_read_text(path: &Path) -> Result<Option<String>> {
    Ok(String::from_utf8(read(path)?).ok())
}

/// Writes a file, and the folders above it.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}

/// Makes a folder, and those above it, where there is none.
pub(crate) fn create_dir(folder: &Path) -> Result {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()).into())
}

/// Copies a file, and makes the folders above the copy.
pub(crate) fn copy(from: &Path, to: &Path) -> Result {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(from, to))
        .map(drop)
        .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()).into())
}

/// Renames a file or folder.
pub(crate) fn rename(from: &Path, to: &Path) -> Result {
    fs::rename(from, to)
        .map_err(|error| format!("cannot rename {} to {}: {error}", from.display(), to.display()).into())
}

/// Removes a file, or a folder with all in it. True if there was one.
pub(crate) fn remove(path: &Path) -> Result<bool> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("cannot remove {}: {error}", path.display()).into()),
    }
}

/// Every file below a folder, sorted; a file is itself, and what does not exist has none.
pub(crate) fn walk(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(path.exists().then(|| path.to_path_buf()).into_iter().collect());
    }
    let mut files = Vec::new();
    for entry in list_dir(path)? {
        files.extend(walk(&entry)?);
    }
    Ok(files)
}

/// The entries of a folder, sorted.
pub(crate) fn list_dir(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed: std::io::Result<Vec<PathBuf>> =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths = listed.map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    paths.sort();
    Ok(paths)
}
