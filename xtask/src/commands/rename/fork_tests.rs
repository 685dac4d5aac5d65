//! Tests of `rename` and `delete-demo` together: nothing of the old name or the demo is left in the project, and later
//! versions of the template can be merged into a fork.

use super::NAMES;
use crate::commands::{delete_demo, rename};
use crate::markers::{self, Marker};
use crate::project;
use crate::sandbox::Sandbox;
use crate::source_tree::{self, TextFiles};

/// Lines that may contain a forbidden word: part of the path, and part of the line.
const ALLOWED: [(&str, &str); 5] = [
    // The authors stay the same.
    ("LICENSE-", "contributors"),
    // The commands mention what they remove.
    ("xtask/src/commands/delete_demo.rs", "chat"),
    ("xtask/src/commands/rename/fork_tests.rs", ""),
    // Space on a disk, not a place to chat.
    ("server/src/storage/sqlite/database.rs", r#"migration!("0003", "room")"#),
    // Names of other packages.
    ("Cargo.lock", "name = "),
];

/// Text before `room` where it means a place to chat, and never where it means space.
const BEFORE_A_ROOM: [&str; 16] = [
    "a ", "the ", "each ", "every ", "one ", "this ", "that ", "same ", "\"", "'", "`", "/", ":", "-", "_",
    "(",
];

/// Word of the demo, or the old name, that a line contains.
fn forbidden_word(line: &str) -> Option<&'static str> {
    let line = line.to_lowercase();
    let mentions_a_room = line.match_indices("room").any(|(at, room)| {
        let before = &line[..at];
        let after = &line[at + room.len()..];
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() && c != 's');
        let is_space = before.ends_with("has_");
        ends && !is_space
            && (after.starts_with('s') || BEFORE_A_ROOM.iter().any(|lead| before.ends_with(lead)))
    });
    let words = [project::NAME, "chat", "lobby"].into_iter().find(|word| line.contains(word));
    words.or(mentions_a_room.then_some("room"))
}

fn find_leftovers(texts: &TextFiles) -> Vec<String> {
    let mut leftovers = Vec::new();
    for (path, text) in texts {
        for (number, line) in (1..).zip(text.lines()) {
            let is_allowed = ALLOWED.iter().any(|(file, part)| path.contains(file) && line.contains(part));
            if let Some(word) = forbidden_word(line).filter(|_| !is_allowed) {
                leftovers.push(format!("{path}:{number}: {word} in: {}", line.trim()));
            }
        }
    }
    leftovers
}

/// Text files of the template; None in a product, which may use any words.
fn template() -> Option<TextFiles> {
    let texts = source_tree::read(project::root()).unwrap();
    let rest = markers::strip(Marker::Template, "README.md", &texts["README.md"]).unwrap();
    rest.is_some().then_some(texts)
}

#[test]
fn nothing_of_the_demo_or_the_old_name_is_left_in_either_order() {
    let Some(texts) = template() else { return };
    let rename = |texts: &TextFiles| rename::rename_texts(texts, project::NAME, NAMES[0]).unwrap();
    let delete = |texts: &TextFiles| delete_demo::without_demo(texts).unwrap();
    let renamed_first = delete(&rename(&texts));
    let deleted_first = rename(&delete(&texts));
    assert!(renamed_first == deleted_first, "the order makes a difference");
    let leftovers = find_leftovers(&renamed_first);
    assert!(leftovers.is_empty(), "{} lines:\n{}", leftovers.len(), leftovers.join("\n"));
}

#[test]
fn a_second_rename_changes_what_the_first_one_changed() {
    let Some(texts) = template() else { return };
    let once = rename::rename_texts(&texts, project::NAME, NAMES[0]).unwrap();
    let twice = rename::rename_texts(&once, NAMES[0], NAMES[1]).unwrap();
    let at_once = rename::rename_texts(&texts, project::NAME, NAMES[1]).unwrap();
    assert!(twice == at_once, "a rename depends on the names before it");
}

#[test]
fn words_that_the_source_uses_are_refused_as_names() {
    let Some(texts) = template() else { return };
    for word in ["chat", "server", "tokio", "main", "test", "match"] {
        assert!(rename::rename_texts(&texts, project::NAME, word).is_err(), "{word}");
    }
}

#[test]
fn a_room_to_chat_in_is_distinguished_from_space() {
    for line in ["in the room", "rooms", "`probe:room`", "/api/chat", "room_list of a room-list", "Lobby"] {
        assert!(forbidden_word(line).is_some(), "{line}");
    }
    for line in
        ["while there is room", "outbox.has_room()", "makes room again", "mushroom soup", "let room = 1"]
    {
        assert_eq!(forbidden_word(line), None, "{line}");
    }
}

const README: &str =
    "# Echo\n\n<!-- template: begin -->\nA template.\n\n<!-- template: end -->\nOne.\n\nTwo.\n\nThree.\n";
const FEATURES: &str = "//! The features.\n\npub mod chat; // demo\n";

/// Publishes a small template.
fn publish(upstream: &Sandbox) {
    for (path, text) in [
        ("Cargo.toml", "[package]\nname = \"echo\"\n"),
        ("README.md", README),
        ("shared/src/features/mod.rs", FEATURES),
        ("shared/src/features/chat.rs", "//! Talk.\n"),
        ("src/main.rs", "const PORT: &str = \"ECHO_PORT\";\n\nfn main() {}\n\nfn old() {}\n"),
        ("src/gone.rs", "//! Of no use.\n"),
    ] {
        upstream.write(path, text);
    }
    upstream.git("init --quiet --initial-branch main");
    upstream.git("add --all");
    upstream.git("commit --quiet --message one");
}

/// Publishes its next version: a changed demo, a new file with the name, changed texts, a deleted file.
fn publish_more(upstream: &Sandbox) {
    upstream.write("shared/src/features/chat.rs", "//! Talk, and more of it.\n");
    upstream.write("src/port.rs", "//! Where Echo listens: `ECHO_PORT`.\n");
    upstream.write("src/main.rs", "const PORT: &str = \"ECHO_PORT\";\n\nfn main() {}\n\nfn new() {}\n");
    upstream
        .write("README.md", &README.replace("A template", "The template").replace("One.", "One, mended."));
    upstream.git("rm --quiet src/gone.rs");
    upstream.git("add --all");
    upstream.git("commit --quiet --message two");
}

/// Applies `rename` and `delete-demo` to the working tree and commits it.
fn commit_as_product(fork: &Sandbox) {
    super::apply(&fork.0, "echo", NAMES[0]).unwrap();
    delete_demo::apply(&fork.0).unwrap();
    fork.git("add --all");
    fork.git("commit --quiet --message template");
}

#[test]
fn a_later_version_of_the_template_merges_into_a_product_that_went_its_own_way() {
    let upstream = Sandbox::new("upstream");
    let fork = Sandbox::new("fork");
    publish(&upstream);
    fork.git(&format!("clone --quiet --origin upstream {} .", upstream.0.display()));
    fork.git("switch --quiet --create template");
    commit_as_product(&fork);
    fork.git("switch --quiet --create product");
    fork.write("shared/src/features/mod.rs", "//! The features.\n\npub mod poll;\n");
    fork.write("shared/src/features/poll.rs", "//! Votes.\n");
    fork.write("README.md", &fork.read("README.md").replace("Three.", "Three, and polls."));
    fork.git("add --all");
    fork.git("commit --quiet --message polls");

    publish_more(&upstream);
    fork.git("fetch --quiet upstream");
    fork.git("switch --quiet template");
    fork.git("restore --source upstream/main --staged --worktree .");
    commit_as_product(&fork);
    fork.git("switch --quiet product");
    fork.git("merge --quiet --no-edit template");

    assert_eq!(fork.git("status --porcelain"), "");
    assert_eq!(fork.read("README.md"), "# Acme Board\n\nOne, mended.\n\nTwo.\n\nThree, and polls.\n");
    assert_eq!(fork.read("src/port.rs"), "//! Where Acme Board listens: `ACME_BOARD_PORT`.\n");
    assert!(fork.read("src/main.rs").ends_with("fn new() {}\n"));
    assert_eq!(fork.read("shared/src/features/mod.rs"), "//! The features.\n\npub mod poll;\n");
    for gone in ["shared/src/features/chat.rs", "src/gone.rs"] {
        assert!(!fork.0.join(gone).exists(), "{gone} came back");
    }
}
