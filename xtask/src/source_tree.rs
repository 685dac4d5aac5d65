//! Git, as far as it holds the project: which files are the project's, and whether there is a way back.

use crate::failure::Result;
use crate::files;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folders at the project's root that hold what was built or installed, not what was written.
const GENERATED: [&str; 4] = [".git", ".tools", "data", "target"];

/// Each text by its path below the project's folder, with `/` between the parts.
pub(crate) type TextFiles = BTreeMap<String, String>;

/// Reads every text of the project. A file that is not UTF-8, such as an image, is none.
pub(crate) fn read(root: &Path) -> Result<TextFiles> {
    let mut texts = TextFiles::new();
    for file in list(root)? {
        if let Some(text) = files::try_read_text(&file)? {
            texts.insert(relative_path(root, &file), text);
        }
    }
    Ok(texts)
}

/// Writes what differs between `before`, which is what the folder holds, and `after`. The paths that changed.
pub(crate) fn write(root: &Path, before: &TextFiles, after: &TextFiles) -> Result<Vec<String>> {
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

/// Every file of the project that a person wrote, sorted: those that git tracks or would add, and where git does
/// not hold the folder, all but what is built or installed.
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

/// A file's path below the project's folder, with `/` between the parts.
pub(crate) fn relative_path(root: &Path, file: &Path) -> String {
    let parts = file.strip_prefix(root).unwrap_or(file).iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// Fails unless git could bring back every file of this folder as it is now.
pub(crate) fn require_clean(root: &Path) -> Result {
    let reason = match is_tracked(root) {
        Ok(true) => match git(root, &["status", "--porcelain", "--untracked-files=all", "--", "."]) {
            Ok(changes) if changes.is_empty() => return Ok(()),
            Ok(_) => "there are changes that are not committed".to_owned(),
            Err(reason) => reason,
        },
        Ok(false) => "the repository around this folder does not track it".to_owned(),
        Err(reason) => reason,
    };
    Err(format!(
        "{reason}, so that nothing could bring back what this changes: commit everything first, or go on without \
         a way back with --force"
    )
    .into())
}

/// The files of this folder that git tracks or would add, sorted; nothing where git does not track the folder.
fn git_files(root: &Path) -> Option<Vec<PathBuf>> {
    if !is_tracked(root).ok()? {
        return None;
    }
    let listed =
        git(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."]).ok()?;
    let paths = listed.split('\0').filter(|path| !path.is_empty()).map(|path| root.join(path));
    // A file that was deleted and not committed is still listed, and one with a conflict thrice.
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files.dedup();
    Some(files)
}

/// True if the folder's own manifest is in a repository: the folder may stand in one that ignores it.
fn is_tracked(root: &Path) -> std::result::Result<bool, String> {
    git(root, &["ls-files", "--", "Cargo.toml"]).map(|listed| !listed.is_empty())
}

/// The answer of git, or why there is none.
fn git(root: &Path, words: &[&str]) -> std::result::Result<String, String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(words).env("LC_ALL", "C").stdin(Stdio::null());
    let output = match git.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err("git is not installed".into());
        }
        Err(error) => return Err(format!("git cannot be started ({error})")),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("not a git repository") {
        return Err("this folder is in no git repository".into());
    }
    Err(format!("git answers: {}", said.lines().next().unwrap_or("nothing").trim()))
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
    fn only_a_committed_folder_has_a_way_back() {
        let sandbox = Sandbox::new("way-back");
        let root = sandbox.0.join("project");
        sandbox.write("project/Cargo.toml", "one");
        assert!(refusal(&root).contains("no git repository"));
        sandbox.git("init --quiet");
        assert!(refusal(&root).contains("does not track it"));
        sandbox.write(".gitignore", "/project\n");
        assert!(refusal(&root).contains("does not track it"));
        sandbox.write(".gitignore", "");
        sandbox.git("add --all");
        assert!(refusal(&root).contains("not committed"));
        sandbox.git("commit --quiet --message one");
        require_clean(&root).unwrap();
        sandbox.write("project/Cargo.toml", "two");
        assert!(refusal(&root).contains("not committed"));
    }

    #[test]
    fn what_stands_beside_the_folder_does_not_count() {
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
    fn the_files_are_those_that_git_tracks_or_would_add() {
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
    fn what_differs_is_written_and_bytes_that_are_no_text_are_left_alone() {
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
