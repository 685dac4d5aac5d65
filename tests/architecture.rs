//! The rules of the house that crates cannot express: who may name whom, circles of files, names and sentences. They are
//! read from the source text, and a failure names the file that breaks one.

mod graph;
mod rules;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use graph::Graph;
use rules::{CLIENT, CRATES, Rules, SERVER};
use source::{Source, exists, named_below, read, sources};

const LINES_MAX: usize = 400;
const WORDS_AVOIDED: [&str; 5] = ["utils", "util", "helpers", "common", "manager"];
/// A doc comment that opens with one of these is a riddle about its subject.
const OPENINGS_AVOIDED: [&str; 5] = ["What", "How", "Whether", "Who", "Which"];

/// The folders whose files a document may name by their paths.
const TOP_LEVEL: [&str; 6] = ["server/", "client/", "shared/", "tests/", "xtask/", "assets/"];

fn assert_none(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

fn check_rules(folder: &str, crate_names: &[&str], rules: &Rules) {
    let parts: BTreeSet<&str> = rules.iter().map(|(part, _)| *part).collect();
    let mut broken = Vec::new();
    for source in sources(folder) {
        let Some((part, may)) = rules.iter().find(|(part, _)| *part == source.part()) else {
            broken.push(format!("{} is no part that the rules know: add it to them", source.path));
            continue;
        };
        let code = source.code();
        let named = crate_names.iter().flat_map(|name| parts_named(&code, name));
        let wrong = named
            .filter(|name| parts.contains(name.as_str()) && name != part && !may.contains(&name.as_str()));
        broken.extend(wrong.map(|name| format!("{} names {name}; {part} may name {may:?}", source.path)));
    }
    assert_none(broken);
}

/// The parts that some code names: of `http`, the folders count for themselves.
fn parts_named(code: &str, crate_name: &str) -> BTreeSet<String> {
    let mut named = named_below(code, crate_name);
    if named.remove("http") {
        for name in named_below(code, &format!("{crate_name}::http")) {
            let is_folder = name == "api" || name == "guard";
            named.insert(if is_folder { format!("http/{name}") } else { "http".into() });
        }
        if code.contains(&format!("{crate_name}::http;")) {
            named.insert("http".into());
        }
    }
    named
}

#[test]
fn the_servers_parts_name_only_what_stands_below_them() {
    check_rules("server/src", &["crate", "server"], SERVER);
}

#[test]
fn the_clients_parts_name_only_what_stands_below_them() {
    check_rules("client/src", &["crate", "client"], CLIENT);
}

#[test]
fn no_files_of_a_crate_name_each_other_in_a_circle() {
    let mut broken = Vec::new();
    for (folder, roots, excluded) in [
        ("shared/src", &[][..], &[][..]),
        ("server/realtime/src", &[], &[]),
        ("server/contract/src", &[], &[]),
        ("server/src", &[], &["server/src/main.rs", "server/src/features"]),
        ("client/src", &[], &[]),
        ("xtask/src", &[], &[]),
    ] {
        for circle in Graph::read(folder, roots, excluded).circles() {
            broken.push(format!("a circle:\n  {}", circle.join("\n  ")));
        }
    }
    assert_none(broken);
}

#[test]
fn a_type_name_has_one_meaning() {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in
        ["shared/src", "server/realtime/src", "server/contract/src", "server/src", "client/src", "xtask/src"]
    {
        for source in sources(folder) {
            for name in source.types() {
                known.entry(name).or_default().push(source.path.clone());
            }
        }
    }
    // The server's and the client's side of one feature, and the routes for the state of this server.
    known.retain(|name, _| name != "Feature" && name != "Routes");
    let twice = known.into_iter().filter(|(_, paths)| paths.len() > 1);
    assert_none(twice.map(|(name, paths)| format!("{name} is in {}", paths.join(", "))).collect());
}

#[test]
fn a_doc_comment_opens_with_a_thing_or_a_verb() {
    let mut broken = Vec::new();
    for folder in ["server", "shared", "client", "xtask", "tests"] {
        for source in sources(folder) {
            for (number, line) in source.doc_openings() {
                let opening = line.split([' ', ',', ':']).next().unwrap_or("");
                if OPENINGS_AVOIDED.contains(&opening) || line.starts_with("See the module") {
                    broken.push(format!("{}:{number} opens with {opening}", source.path));
                }
            }
        }
    }
    assert_none(broken);
}

#[test]
fn a_crate_is_named_only_where_it_belongs() {
    let mut broken = Vec::new();
    for source in sources("server/src") {
        let code = source.code();
        for (name, may) in CRATES {
            if !named_below(&code, name).is_empty() && !may.iter().any(|path| source.path.starts_with(path)) {
                broken.push(format!("{} names {name}", source.path));
            }
        }
    }
    assert_none(broken);
}

#[test]
fn a_feature_names_no_other() {
    let mut broken = Vec::new();
    for folder in ["server/src/features", "client/src/features", "shared/src/features"] {
        let sources = sources(folder);
        let feature = |source: &Source| {
            let below = source.path.strip_prefix(folder).unwrap_or("").trim_start_matches('/').to_owned();
            below.split('/').next().unwrap_or("").trim_end_matches(".rs").to_owned()
        };
        let features: BTreeSet<String> = sources.iter().map(feature).filter(|name| name != "mod").collect();
        for source in sources.iter().filter(|source| feature(source) != "mod") {
            let (own, code) = (feature(source), source.code());
            let named: BTreeSet<String> = ["features", "super", "super::super"]
                .iter()
                .flat_map(|path| named_below(&code, path))
                .collect();
            let others = named.intersection(&features).filter(|name| **name != own);
            broken.extend(others.map(|name| format!("{} names the feature {name}", source.path)));
        }
    }
    assert_none(broken);
}

#[test]
fn nothing_but_the_outermost_names_the_features() {
    let mut broken = Vec::new();
    for (folder, may) in [
        ("server/src", &["main", "features"][..]),
        ("client/src", &["app", "lib", "features"]),
        ("shared/src", &["lib", "features"]),
    ] {
        for source in sources(folder).iter().filter(|source| !may.contains(&source.part())) {
            let code = source.code();
            let named = ["crate", "shared"].iter().any(|name| named_below(&code, name).contains("features"));
            if named || code.contains("features::") {
                broken.push(format!("{} names the features", source.path));
            }
        }
    }
    assert_none(broken);
}

#[test]
fn shared_has_no_io_no_clock_and_no_randomness() {
    let forbidden =
        ["tokio", "futures", "rand", "getrandom", "web_sys", "js_sys", "gloo", "chrono", "sqlx", "axum"];
    let std = ["fs", "net", "io", "thread", "time", "process", "env"];
    let mut broken = Vec::new();
    for source in sources("shared/src") {
        let code = source.code();
        let crates = forbidden.iter().filter(|name| !named_below(&code, name).is_empty());
        broken.extend(crates.map(|name| format!("{} names {name}", source.path)));
        let used = named_below(&code, "std");
        let parts = std.iter().filter(|name| used.contains(**name));
        broken.extend(parts.map(|name| format!("{} names std::{name}", source.path)));
        if code.contains("async ") {
            broken.push(format!("{} waits", source.path));
        }
    }
    assert_none(broken);
}

#[test]
fn every_file_says_first_what_it_is_and_is_short_and_well_named() {
    let mut broken = Vec::new();
    for folder in ["server", "shared", "client", "xtask", "tests"] {
        for source in sources(folder) {
            let lines = source.text.lines().count();
            if !source.text.starts_with("//! ") {
                broken.push(format!("{} does not begin with //!", source.path));
            }
            if lines > LINES_MAX {
                broken.push(format!("{} has {lines} lines: two things may live in it", source.path));
            }
            let words = source.path.trim_end_matches(".rs").split('/');
            let avoided = words.filter(|word| WORDS_AVOIDED.contains(word));
            broken
                .extend(avoided.map(|word| format!("{}: {word} says nothing of what is in it", source.path)));
        }
    }
    assert_none(broken);
}

#[test]
fn the_files_that_the_documents_name_exist() {
    let mut broken = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "tests/README.md"] {
        let text = read(document);
        // A feature that is still to be written has files that are not there yet.
        let (before, feature) = text.split_once("## Add a feature").unwrap_or((&text, ""));
        let after = feature.split_once("## Running it").map_or("", |(_, after)| after);
        for part in [before, after] {
            let links = part.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
            for link in links.filter(|link| !link.contains("://")) {
                if !exists(&format!("{folder}/{link}")) {
                    broken.push(format!("{document} links to {link}"));
                }
            }
            let words = part.split('`').skip(1).step_by(2);
            let is_path = |word: &&str| TOP_LEVEL.iter().any(|top| word.starts_with(top));
            for path in words.filter(is_path).filter(|word| !word.contains(['*', ' ', '{'])) {
                if !exists(path) {
                    broken.push(format!("{document} names {path}"));
                }
            }
        }
    }
    assert_none(broken);
}

#[test]
fn the_checker_sees_what_it_looks_for() {
    let code = "use crate::{app, http::{Body, x::y}, realtime};\ncrate::accounts::open();\nmycrate::other();";
    let names: Vec<String> = named_below(code, "crate").into_iter().collect();
    assert_eq!(names, ["accounts", "app", "http", "realtime"]);
    assert!(named_below("let axum = 1; superaxum::x", "axum").is_empty());
}
