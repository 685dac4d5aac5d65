//! Git, as far as it holds the project: which files are the project's, and whether there is a way back.

use crate::failure::Result;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Fails unless git could bring back every file of this folder as it is now.
pub(crate) fn require_way_back(root: &Path) -> Result {
    let reason = match is_tracked(root) {
        Ok(true) => match ask(root, &["status", "--porcelain", "--untracked-files=all", "--", "."]) {
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
pub(crate) fn files(root: &Path) -> Option<Vec<PathBuf>> {
    if !is_tracked(root).ok()? {
        return None;
    }
    let listed =
        ask(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."]).ok()?;
    let paths = listed.split('\0').filter(|path| !path.is_empty()).map(|path| root.join(path));
    // A file that was deleted and not committed is still listed, and one with a conflict thrice.
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files.dedup();
    Some(files)
}

/// True if the folder's own manifest is in a repository: the folder may stand in one that ignores it.
fn is_tracked(root: &Path) -> std::result::Result<bool, String> {
    ask(root, &["ls-files", "--", "Cargo.toml"]).map(|listed| !listed.is_empty())
}

/// The answer of git, or why there is none.
fn ask(root: &Path, words: &[&str]) -> std::result::Result<String, String> {
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

/// A folder for tests with a repository in it, removed at the end.
#[cfg(test)]
pub(crate) mod sandbox {
    use crate::files;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    pub(crate) struct Sandbox(pub(crate) PathBuf);

    impl Sandbox {
        pub(crate) fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            files::remove(&folder).unwrap();
            files::create(&folder).unwrap();
            Sandbox(folder)
        }

        pub(crate) fn write(&self, path: &str, text: &str) {
            files::write(&self.0.join(path), text).unwrap();
        }

        pub(crate) fn read(&self, path: &str) -> String {
            files::read_text(&self.0.join(path)).unwrap()
        }

        /// Runs git, without the settings of the person or the machine. Its output.
        #[track_caller]
        pub(crate) fn git(&self, words: &str) -> String {
            git(&self.0, words)
        }
    }

    #[track_caller]
    pub(crate) fn git(folder: &Path, words: &str) -> String {
        let mut git = Command::new("git");
        git.current_dir(folder).args(words.split_whitespace());
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.org");
        }
        let output = git.output().unwrap();
        let (told, problem) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "git {words}\n{told}{problem}");
        told.into_owned()
    }

    impl Drop for Sandbox {
        fn drop(&mut self) {
            let _ = files::remove(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sandbox::Sandbox;
    use super::*;

    fn refusal(root: &Path) -> String {
        let failure = require_way_back(root).unwrap_err();
        let reason = failure.reason().unwrap();
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
        require_way_back(&root).unwrap();
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
        require_way_back(&sandbox.0.join("project")).unwrap();
        sandbox.write("project/new", "three");
        assert!(refusal(&sandbox.0.join("project")).contains("not committed"));
    }

    #[test]
    fn the_files_are_those_that_git_tracks_or_would_add() {
        let sandbox = Sandbox::new("listed");
        let listed = || {
            let files = files(&sandbox.0)?;
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
        crate::files::remove(&sandbox.0.join("gone")).unwrap();
        sandbox.write("new file", "three");
        sandbox.write("secret", "four");
        assert_eq!(listed().unwrap(), [".gitignore", "Cargo.toml", "new file"].map(PathBuf::from));
    }

    #[test]
    fn a_checkout_has_the_same_bytes_where_git_converts_line_endings() {
        let sandbox = Sandbox::new("endings");
        let root = crate::project::root();
        sandbox.write(".gitattributes", &crate::files::read_text(&root.join(".gitattributes")).unwrap());
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
}
