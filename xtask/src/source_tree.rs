//! Source files of the project: listing them, editing all of them in memory, and checking that git could restore them.

use crate::failure::Result;
use crate::files;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folders at the project's root with generated or installed files.
const GENERATED: [&str; 4] = [".git", ".tools", "data", "target"];

/// Contents of text files by path relative to the root, separated by `/`.
///
/// A command edits them in memory and writes them at the end, so that an error on the way changes nothing.
pub(crate) type TextFiles = BTreeMap<String, String>;

/// Reads every text file of the project. Files that are not UTF-8, such as images, are left out.
pub(crate) fn read(root: &Path) -> Result<TextFiles> {
    let mut texts = TextFiles::new();
    for file in list(root)? {
        if let Some(text) = files::try_read_text(&file)? {
            texts.insert(relative_path(root, &file), text);
        }
    }
    Ok(texts)
}

/// Writes the differences between `before`, which is the state on disk, and `after`. Returns the changed paths.
pub(crate) fn write(root: &Path, before: &TextFiles, after: &TextFiles) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for (path, text) in after {
        if before.get(path) != Some(text) {
            files::write(&root.join(path), text)?;
            changed.push(path.clone());
        }
    }
    for path in before.keys() {
        if !after.contains_key(path) {
            files::remove(&root.join(path))?;
            changed.push(path.clone());
        }
    }
    Ok(changed)
}

/// Lists the project's source files, sorted: what git tracks or would add. Outside of git these are all files that are
/// not below a generated folder.
pub(crate) fn list(root: &Path) -> Result<Vec<PathBuf>> {
    if let Some(files) = git_files(root) {
        return Ok(files);
    }
    let mut files = Vec::new();
    for path in files::list_dir(root)? {
        if !GENERATED.iter().any(|name| path.ends_with(name)) {
            files.extend(files::walk(&path)?);
        }
    }
    Ok(files)
}

fn relative_path(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).unwrap_or(file);
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Fails unless git can restore every file of this folder as it is now.
pub(crate) fn require_clean(root: &Path) -> Result {
    check_committed(root).map_err(|reason| {
        format!("{reason}, so this command could not be undone: commit everything first, or pass --force")
            .into()
    })
}

/// Returns the reason why git could not restore every file as it is now.
fn check_committed(root: &Path) -> Result<(), String> {
    if !is_tracked(root)? {
        return Err("the surrounding git repository does not track this folder".into());
    }
    match git(root, &["status", "--porcelain", "--untracked-files=all", "--", "."])?.as_str() {
        "" => Ok(()),
        _ => Err("some changes are not committed".into()),
    }
}

/// Lists the files that git tracks or would add, sorted; None if git does not track the folder.
fn git_files(root: &Path) -> Option<Vec<PathBuf>> {
    if !is_tracked(root).ok()? {
        return None;
    }
    let output =
        git(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."]).ok()?;
    let paths = output.split('\0').filter(|path| !path.is_empty()).map(|path| root.join(path));
    // Git still lists a deleted file until the deletion is committed, and a conflicted file three times.
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files.dedup();
    Some(files)
}

/// Returns true if git tracks the folder's `Cargo.toml`. A repository around the folder may ignore it.
fn is_tracked(root: &Path) -> Result<bool, String> {
    git(root, &["ls-files", "--", "Cargo.toml"]).map(|listed| !listed.is_empty())
}

/// Runs git and returns its stdout, or the reason why it failed.
fn git(root: &Path, args: &[&str]) -> Result<String, String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(args).env("LC_ALL", "C").stdin(Stdio::null());
    let output = git.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "git is not installed".into(),
        _ => format!("git cannot be started ({error})"),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("not a git repository") {
        return Err("this folder is not in a git repository".into());
    }
    let first_line = stderr.lines().next().unwrap_or("no message").trim();
    Err(format!("git failed ({first_line})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Sandbox;

    fn refusal(root: &Path) -> String {
        let failure = require_clean(root).unwrap_err();
        let reason = failure.message().unwrap();
        assert!(reason.contains("--force"), "{reason}");
        reason.to_owned()
    }

    #[test]
    fn only_a_committed_folder_is_clean() {
        let sandbox = Sandbox::new("clean");
        let root = sandbox.0.join("project");
        sandbox.write("project/Cargo.toml", "one");
        assert!(refusal(&root).contains("not in a git repository"));
        sandbox.git("init --quiet");
        assert!(refusal(&root).contains("does not track this folder"));
        sandbox.write(".gitignore", "/project\n");
        assert!(refusal(&root).contains("does not track this folder"));
        sandbox.write(".gitignore", "");
        sandbox.git("add --all");
        assert!(refusal(&root).contains("not committed"));
        sandbox.git("commit --quiet --message one");
        require_clean(&root).unwrap();
        sandbox.write("project/Cargo.toml", "two");
        assert!(refusal(&root).contains("not committed"));
    }

    #[test]
    fn files_outside_the_folder_do_not_count() {
        let sandbox = Sandbox::new("beside");
        sandbox.write("project/Cargo.toml", "one");
        sandbox.git("init --quiet");
        sandbox.git("add --all");
        sandbox.git("commit --quiet --message one");
        sandbox.write("elsewhere", "two");
        require_clean(&sandbox.0.join("project")).unwrap();
        sandbox.write("project/new", "three");
        assert!(refusal(&sandbox.0.join("project")).contains("not committed"));
    }

    #[test]
    fn the_list_holds_what_git_tracks_or_would_add() {
        let sandbox = Sandbox::new("listed");
        let listed = || {
            let files = git_files(&sandbox.0)?;
            Some(
                files
                    .iter()
                    .map(|file| file.strip_prefix(&sandbox.0).unwrap().to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        sandbox.write("Cargo.toml", "one");
        sandbox.write("gone", "two");
        assert_eq!(listed(), None);
        sandbox.write(".gitignore", "/secret\n");
        sandbox.git("init --quiet");
        sandbox.git("add --all");
        files::remove(&sandbox.0.join("gone")).unwrap();
        sandbox.write("new file", "three");
        sandbox.write("secret", "four");
        assert_eq!(listed().unwrap(), [".gitignore", "Cargo.toml", "new file"].map(PathBuf::from));
    }

    #[test]
    fn a_checkout_has_the_same_bytes_where_git_converts_line_endings() {
        let sandbox = Sandbox::new("endings");
        let root = crate::project::root();
        sandbox.write(".gitattributes", &files::read_text(&root.join(".gitattributes")).unwrap());
        let texts = ["server/migrations/one.sql", "tests/golden/one.json", ".ci/run"];
        texts.iter().for_each(|path| sandbox.write(path, "one\ntwo\n"));
        sandbox.write("tests/fuzz/corpus/requests/one", "one\r\ntwo\n");
        sandbox.git("init --quiet");
        sandbox.git("config core.autocrlf true");
        sandbox.git("config core.eol crlf");
        sandbox.git("add --all");
        sandbox.git("commit --quiet --message one");
        sandbox.git("rm --quiet -r tests server .ci");
        sandbox.git("reset --quiet --hard");
        texts.iter().for_each(|path| assert_eq!(sandbox.read(path), "one\ntwo\n", "{path}"));
        assert_eq!(sandbox.read("tests/fuzz/corpus/requests/one"), "one\r\ntwo\n");
    }

    #[test]
    fn differences_are_written_and_files_that_are_not_text_stay() {
        let root = std::env::temp_dir().join(format!("texts-{}", std::process::id()));
        for (path, bytes) in [("a/one", &b"1"[..]), ("a/two", b"2"), ("image", b"\xff\xfe")] {
            files::write(&root.join(path), bytes).unwrap();
        }
        let before = read(&root).unwrap();
        assert_eq!(before.keys().collect::<Vec<_>>(), ["a/one", "a/two"]);
        let after = TextFiles::from([("a/one".into(), "1".into()), ("b/three".into(), "3".into())]);
        assert_eq!(write(&root, &before, &after).unwrap(), ["b/three", "a/two"]);
        assert_eq!(read(&root).unwrap(), after);
        assert_eq!(files::read(&root.join("image")).unwrap(), b"\xff\xfe");
        files::remove(&root).unwrap();
    }
}
