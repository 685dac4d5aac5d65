//! Between trunk's output and the finished client: fewer bytes, and names that stand for those bytes.

use crate::failure::Result;
use crate::{files, process, say};
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

/// Smallest output, and every WASM feature that today's Rust makes use of.
const WASM_OPT: &str = "-Oz --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext \
                        --enable-mutable-globals --enable-reference-types --enable-multivalue";

/// Lets `wasm-opt` make the client's WASM smaller, in place.
pub(super) fn optimise(wasm_opt: &Path, client: &Path) -> Result {
    say::step("optimising the client with wasm-opt", "it saves about a tenth of the download");
    let wasm = wasm_file(client)?;
    process::run(process::program(wasm_opt, WASM_OPT).arg(&wasm).arg("--output").arg(&wasm))
}

/// Names WASM and JavaScript after their final bytes: the server lets browsers keep them for ever.
pub(super) fn name_by_content(client: &Path) -> Result {
    let wasm = wasm_file(client)?;
    let old = stem(&wasm).ok_or_else(|| format!("{} has no name", wasm.display()))?;
    let script = client.join(format!("{old}.js"));

    let mut hasher = DefaultHasher::new();
    hasher.write(&files::read(&wasm)?);
    hasher.write(&files::read(&script)?);
    let new = renamed(old, hasher.finish());

    files::rename(&wasm, &client.join(format!("{new}{WASM_END}")))?;
    files::rename(&script, &client.join(format!("{new}.js")))?;
    let page = client.join("index.html");
    let text = files::read_text(&page)?;
    files::write(&page, text.replace(old, &new))
}

/// How `wasm-bindgen` ends the name of the WASM that belongs to `<stem>.js`.
const WASM_END: &str = "_bg.wasm";

fn wasm_file(client: &Path) -> Result<PathBuf> {
    let mut found = files::below(client)?.into_iter().filter(|file| stem(file).is_some());
    match (found.next(), found.next()) {
        (Some(file), None) => Ok(file),
        _ => Err(format!("expected exactly one *{WASM_END} in {}", client.display()).into()),
    }
}

fn stem(file: &Path) -> Option<&str> {
    file.file_name()?.to_str()?.strip_suffix(WASM_END)
}

/// `client-<trunk's hash>` becomes `client-<our hash>`.
fn renamed(stem: &str, hash: u64) -> String {
    let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
    format!("{name}-{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_bytes_and_the_page_follows() {
        let client = std::env::temp_dir().join(format!("finish-{}", std::process::id()));
        let build = |wasm: &str| {
            files::write(&client.join("app-1_bg.wasm"), wasm).unwrap();
            files::write(&client.join("app-1.js"), "js").unwrap();
            files::write(&client.join("index.html"), "/app-1.js /app-1_bg.wasm").unwrap();
            name_by_content(&client).unwrap();
            let page = files::read_text(&client.join("index.html")).unwrap();
            for name in page.split_whitespace() {
                assert!(client.join(&name[1..]).is_file(), "{name} is not there");
            }
            files::remove(&client).unwrap();
            page
        };
        assert_eq!(build("one"), build("one"));
        assert_ne!(build("one"), build("two"));
    }
}
