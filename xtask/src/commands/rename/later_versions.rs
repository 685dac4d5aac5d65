//! The README's way to later versions of the template, tried with real git on a small project.

use super::NAMES;
use crate::commands::delete_demo;
use crate::git::sandbox::Sandbox;

const README: &str =
    "# Echo\n\n<!-- template: begin -->\nA template.\n\n<!-- template: end -->\nOne.\n\nTwo.\n\nThree.\n";
const FEATURES: &str = "//! The features.\n\npub mod chat; // demo\n";

/// The template as its authors publish it.
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

/// Its next version: a line of the demo, a new file with the name, a text that changed, a file that went.
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

/// Makes the working tree the product's, and commits it.
fn commit_as_product(fork: &Sandbox) {
    super::apply(&fork.0, "echo", NAMES[0]).unwrap();
    delete_demo::apply(&fork.0).unwrap();
    fork.git("add --all");
    fork.git("commit --quiet --message template");
}

#[test]
fn a_later_version_of_the_template_merges_into_a_product_that_went_its_own_way() {
    let (upstream, fork) = (Sandbox::new("upstream"), Sandbox::new("fork"));
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
