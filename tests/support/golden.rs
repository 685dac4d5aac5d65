//! Golden files: the wire as text. A change of the wire shows up as a change of a file next to the tests.
//!
//! `cargo xtask accept` rewrites them by running the tests that have `pinned` in their names. Every test that calls
//! these functions must be named so.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The environment variable with which `cargo xtask accept` rewrites the files.
const UPDATE: &str = "UPDATE_GOLDEN";
/// Advice for an intended change.
const HINT: &str = "if the change is intended, run `cargo xtask accept` and commit the file with it";

/// Asserts that `value` is written exactly as in the golden file, that reading the file gives `value` again, and that
/// unknown fields are ignored.
#[track_caller]
pub fn assert_golden<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let file = path(name);
    let text = serde_json::to_string(value).expect("the wire is JSON");
    write_if_asked(&file, &text);
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, golden.trim_end(), "{name} differs from its golden file; {HINT}");
    assert_eq!(
        &serde_json::from_str::<T>(&golden).expect(name),
        value,
        "reading {name} gives a different value"
    );

    let mut extended: Value = serde_json::from_str(&golden).expect(name);
    add_fields(&mut extended, Level::Outermost);
    let read = serde_json::from_str::<T>(&extended.to_string());
    assert_eq!(&read.unwrap_or_else(|error| panic!("{name} with unknown fields: {error}")), value);
}

/// Asserts that a document equals the committed one. The order of fields does not matter.
#[track_caller]
pub fn assert_golden_document(name: &str, served: &Value) {
    let file = path(name);
    write_if_asked(&file, &format!("{served:#}"));
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let committed = serde_json::from_str(&committed).unwrap_or_default();
    let mut changed = Vec::new();
    differences("", &committed, served, &mut changed);
    assert!(changed.is_empty(), "{name} differs from its committed copy; {HINT}\n{}", changed.join("\n"));
}

fn write_if_asked(file: &Path, text: &str) {
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(file.parent().expect("a file lies in a folder"))
            .expect("tests can be written");
        std::fs::write(file, format!("{text}\n")).expect("tests can be written");
    }
}

/// Collects the differences between two documents, with JSON pointers.
fn differences(at: &str, committed: &Value, served: &Value, found: &mut Vec<String>) {
    match (committed, served) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in after {
                differences(&format!("{at}/{name}"), before.get(name).unwrap_or(&Value::Null), value, found);
            }
            let gone = before.keys().filter(|name| !after.contains_key(*name));
            found.extend(gone.map(|name| format!("{at}/{name} is gone")));
        }
        (before, after) if before != after => found.push(format!("{at}: {before} is now {after}")),
        _ => {}
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(format!("{name}.json"))
}

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Outermost,
    Inner,
}

/// Adds an unknown field to every object, except in a payload, which belongs to the feature, and next to the single key
/// that names a frame or a variant.
fn add_fields(value: &mut Value, level: Level) {
    match value {
        Value::Object(fields) => {
            let names_a_variant = level == Level::Outermost && fields.len() == 1;
            fields
                .iter_mut()
                .filter(|(name, _)| *name != "payload")
                .for_each(|(_, field)| add_fields(field, Level::Inner));
            if !names_a_variant {
                fields.insert("unknown_field".into(), serde_json::json!({"is": ["not", "known", "today"]}));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| add_fields(item, Level::Inner)),
        _ => {}
    }
}
