//! Golden files: the wire as text. A change of it shows as a change of a file beside the tests.

use std::fmt::Debug;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Set it to write the files anew.
const UPDATE: &str = "UPDATE_GOLDEN";

/// Asserts that `value` is written exactly as in the golden file, that reading it gives `value` again, and that a
/// reader of today takes no offence at fields of tomorrow.
#[track_caller]
pub fn pins<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(format!("{name}.json"));
    let text = serde_json::to_string(value).expect("the wire is JSON");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(file.parent().expect("a file lies in a folder"))
            .expect("tests can be written");
        std::fs::write(&file, format!("{text}\n")).expect("tests can be written");
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        text,
        golden.trim_end(),
        "{name}: if the wire is meant to change, run the tests with {UPDATE}=1"
    );
    assert_eq!(&serde_json::from_str::<T>(&golden).expect(name), value, "{name} is read as something else");

    let mut tomorrow: Value = serde_json::from_str(&golden).expect(name);
    add_fields(&mut tomorrow, Level::Outermost);
    let read = serde_json::from_str::<T>(&tomorrow.to_string());
    assert_eq!(&read.unwrap_or_else(|error| panic!("{name} with more fields: {error}")), value);
}

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Outermost,
    Inner,
}

/// Adds a field to every object, but not to a payload, which is the feature's, nor beside the one key that names
/// a frame or a variant.
fn add_fields(value: &mut Value, level: Level) {
    match value {
        Value::Object(fields) => {
            let names_a_variant = level == Level::Outermost && fields.len() == 1;
            fields
                .iter_mut()
                .filter(|(name, _)| *name != "payload")
                .for_each(|(_, field)| add_fields(field, Level::Inner));
            if !names_a_variant {
                fields.insert("of_tomorrow".into(), serde_json::json!({"is": ["not", "known", "today"]}));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| add_fields(item, Level::Inner)),
        _ => {}
    }
}
