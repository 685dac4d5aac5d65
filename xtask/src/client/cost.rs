//! Cost of each feature: the bytes of code that it adds to the client, before compression.
//!
//! A function counts for the first feature that its name mentions. A generic function of the core therefore counts for
//! the feature whose types it was compiled for, as far as its name shows them; code that features share counts as core.

use crate::failure::Result;
use crate::{cargo, files};
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display};
use std::path::PathBuf;
use wasmparser::{BinaryReaderError, KnownCustom, Name, Parser, Payload, TypeRef};

/// Code size of a WebAssembly module in bytes, before compression.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Cost {
    /// Bytes by the feature's name.
    pub(crate) features: BTreeMap<String, u64>,
    /// Bytes of all functions, those of the features included.
    pub(crate) total: u64,
}

/// Measures a WebAssembly module that still has its `name` section.
pub(crate) fn measure(module: &[u8]) -> Result<Cost> {
    parse(module).map_err(|error| format!("the client is not a valid WASM module: {error}").into())
}

/// Saves a cost for [`last_report`]: a client that is fresh is not built again, and the finished one has no names.
pub(crate) fn save(cost: &Cost) -> Result {
    files::write(&report_path()?, cost.to_string())
}

/// Cost of the last built release client, as text.
pub(crate) fn last_report() -> Result<String> {
    files::read_text(&report_path()?)
}

fn report_path() -> Result<PathBuf> {
    Ok(cargo::target_dir()?.join("xtask/client-cost"))
}

impl Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let features: u64 = self.features.values().sum();
        write!(f, "code before compression: {} bytes in the core", self.total - features)?;
        self.features.iter().try_for_each(|(name, bytes)| write!(f, ", {bytes} in `{name}`"))
    }
}

fn parse(module: &[u8]) -> Result<Cost, BinaryReaderError> {
    let mut imported = 0;
    let mut sizes = Vec::new();
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => sizes.push(body.range().len() as u64),
            Payload::CustomSection(section) => {
                let KnownCustom::Name(subsections) = section.as_known() else { continue };
                for subsection in subsections {
                    let Name::Function(functions) = subsection? else { continue };
                    for function in functions {
                        let function = function?;
                        names.insert(function.index, function.name);
                    }
                }
            }
            _ => {}
        }
    }
    let mut cost = Cost { total: sizes.iter().sum(), ..Cost::default() };
    // Function indices begin with the imported functions.
    for (index, size) in (imported..).zip(sizes) {
        if let Some(feature) = names.get(&index).and_then(|name| feature_of(name)) {
            *cost.features.entry(feature).or_default() += size;
        }
    }
    Ok(cost)
}

/// First feature that a function's name mentions. Items of `features/mod.rs` itself belong to no feature.
fn feature_of(name: &str) -> Option<String> {
    const FEATURES: &str = "::features::";
    let name = format!("{:#}", rustc_demangle::demangle(name));
    let (at, _) = name.match_indices(FEATURES).find(|(at, _)| ends_with_client(&name[..*at]))?;
    let inside = &name[at + FEATURES.len()..];
    let end = inside.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let (feature, rest) = inside.split_at(end);
    let item = rest.strip_prefix("::")?;
    (!is_hash(item)).then(|| feature.to_owned())
}

/// Returns true if the last word is the client's crate: `client`, or `client[0f9c]` in a name demangled with hashes.
fn ends_with_client(path: &str) -> bool {
    let path = path.strip_suffix(']').and_then(|path| path.rsplit_once('[')).map_or(path, |(path, _)| path);
    let before = path.strip_suffix("client");
    before.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Returns true for `h` and 16 hexadecimal digits, which end a name that was demangled before it got here.
fn is_hash(word: &str) -> bool {
    word.strip_prefix('h')
        .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes a section: its id, its length as a two-byte LEB128, its content.
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let low = content.len() % 128 + 128;
        let high = content.len() / 128;
        [&[id, u8::try_from(low).unwrap(), u8::try_from(high).unwrap()], content].concat()
    }

    fn text(text: &str) -> Vec<u8> {
        [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    }

    /// Encodes a module that imports one function and defines one for each name, with 2 bytes and that many `nop`.
    fn module(functions: &[(&str, usize)]) -> Vec<u8> {
        let count = u8::try_from(functions.len()).unwrap();
        let types = [1, 0x60, 0, 0];
        let imports = [vec![1], text("page"), text("alert"), vec![0, 0]].concat();
        let declared = [vec![count], vec![0; functions.len()]].concat();
        let mut code = vec![count];
        let mut names = vec![count];
        for (index, (name, nops)) in (1..).zip(functions) {
            code.push(u8::try_from(nops + 2).unwrap());
            code.push(0);
            code.extend(std::iter::repeat_n(0x01, *nops));
            code.push(0x0b);
            names.push(index);
            names.extend(text(name));
        }
        let names = [text("name"), section(1, &names)].concat();
        let head = b"\0asm\x01\0\0\0".to_vec();
        let sections = [section(1, &types), section(2, &imports), section(3, &declared), section(10, &code)];
        [head, sections.concat(), section(0, &names)].concat()
    }

    #[test]
    fn each_function_counts_for_the_feature_that_its_name_mentions() {
        let cost = measure(&module(&[
            ("client::app::start", 1),
            ("_ZN6client8features4poll4show17h0123456789abcdefE", 8),
            ("core::ptr::drop_in_place<client::features::poll::Vote>", 3),
            ("<client::features::notes::Notes as leptos::View>::build::h0123456789abcdef", 10),
        ]));
        let features = BTreeMap::from([("notes".to_owned(), 12), ("poll".to_owned(), 15)]);
        assert_eq!(cost.unwrap(), Cost { features, total: 30 });
    }

    #[test]
    fn a_feature_is_found_in_names_of_every_kind() {
        for name in [
            "client::features::poll::Vote::new",
            "client[0f9c]::features::poll::show",
            "_RNvNtNtCs3xQ_6client8features4poll4show",
            "drop<web_sys::features::Window, client::features::poll::Vote>",
        ] {
            assert_eq!(feature_of(name).as_deref(), Some("poll"), "{name}");
        }
    }

    #[test]
    fn code_outside_of_features_belongs_to_the_core() {
        for name in [
            "client::features::home",
            "client::features::home::h0123456789abcdef",
            "client::app::features",
            "web_sys::features::window::Window::new",
            "my_client::features::poll::show",
        ] {
            assert_eq!(feature_of(name), None, "{name}");
        }
    }

    #[test]
    fn the_cost_is_shown_in_one_line() {
        let features = BTreeMap::from([("poll".to_owned(), 40)]);
        let line = Cost { features, total: 100 }.to_string();
        assert_eq!(line, "code before compression: 60 bytes in the core, 40 in `poll`");
    }

    #[test]
    fn bytes_that_are_not_a_module_are_refused() {
        assert!(
            measure(b"<!doctype html>").unwrap_err().message().unwrap().contains("not a valid WASM module")
        );
        let whole = module(&[("client::app::start", 1)]);
        assert!(measure(&whole[..whole.len() - 3]).is_err());
    }
}
