//! All texts of the project at once: changed in memory as a whole and then written, so that what fails half-way
//! has changed nothing.

use crate::failure::Result;
use crate::files;
use std::collections::BTreeMap;
use std::path::Path;

/// Each text by its path below the project's folder, with `/` between the parts.
pub(crate) type Texts = BTreeMap<String, String>;

/// Reads every text of the project. A file that is not UTF-8, such as an image, is none.
pub(crate) fn read(root: &Path) -> Result<Texts> {
    let mut texts = Texts::new();
    for file in files::of_project(root)? {
        if let Some(text) = files::read_if_text(&file)? {
            texts.insert(files::below_root(root, &file), text);
        }
    }
    Ok(texts)
}

/// Writes what differs between `before`, which is what the folder holds, and `after`. The paths that changed.
pub(crate) fn write(root: &Path, before: &Texts, after: &Texts) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for (path, text) in after.iter().filter(|(path, text)| before.get(*path) != Some(*text)) {
        files::write(&root.join(path), text)?;
        changed.push(path.clone());
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        files::remove(&root.join(path))?;
        changed.push(path.clone());
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_written_and_bytes_that_are_no_text_are_left_alone() {
        let root = std::env::temp_dir().join(format!("texts-{}", std::process::id()));
        for (path, bytes) in [("a/one", &b"1"[..]), ("a/two", b"2"), ("image", b"\xff\xfe")] {
            files::write(&root.join(path), bytes).unwrap();
        }
        let before = read(&root).unwrap();
        assert_eq!(before.keys().collect::<Vec<_>>(), ["a/one", "a/two"]);
        let after = Texts::from([("a/one".into(), "1".into()), ("b/three".into(), "3".into())]);
        assert_eq!(write(&root, &before, &after).unwrap(), ["b/three", "a/two"]);
        assert_eq!(read(&root).unwrap(), after);
        assert_eq!(files::read(&root.join("image")).unwrap(), b"\xff\xfe");
        files::remove(&root).unwrap();
    }
}
