//! Between trunk's output and the finished client: fewer bytes, and names that stand for those bytes.

use super::cost;
use crate::failure::Result;
use crate::files;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Keeps what each feature costs, as long as the client's WASM has the names of its functions.
pub(super) fn keep_cost(client: &Path) -> Result {
    cost::keep(&cost::of(&files::read(&wasm_file(client)?)?)?)
}

/// Takes the names of functions out of the client's WASM, in place: two fifths of its bytes, of use to no browser.
///
/// `wasm-opt` is deliberately not used. Compressed, its output is no smaller than this, and version 108, which
/// Debian has, writes the export of wasm-bindgen's second table wrongly, so that the page does not start.
pub(super) fn strip_names(client: &Path) -> Result {
    let (wasm, page) = (wasm_file(client)?, client.join("index.html"));
    let whole = files::read(&wasm)?;
    let stripped = without_names(&whole);
    let stripped = stripped.ok_or_else(|| format!("{} is no whole WASM module", wasm.display()))?;
    // The loader's progress bar ends at this number.
    let size = |bytes: &[u8]| format!("{WASM_END}', {},", bytes.len());
    files::write(&page, files::read_text(&page)?.replace(&size(&whole), &size(&stripped)))?;
    files::write(&wasm, stripped)
}

/// The module without its custom section `name`; nothing when the bytes are no module. A module is a head of
/// 8 bytes and sections: an id, a length in LEB128, and as many bytes (WebAssembly Core §5.5).
fn without_names(module: &[u8]) -> Option<Vec<u8>> {
    const HEAD: usize = 8;
    const NAME_SECTION: &[u8] = b"\x04name";
    let mut kept = module.get(..HEAD)?.to_vec();
    let mut rest = &module[HEAD..];
    while let Some((&id, after)) = rest.split_first() {
        let (length, content) = leb128(after)?;
        let end = rest.len() - content.len() + length;
        let section = rest.get(..end)?;
        if id != 0 || !content.starts_with(NAME_SECTION) {
            kept.extend_from_slice(section);
        }
        rest = &rest[end..];
    }
    Some(kept)
}

/// An unsigned LEB128 number, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let digits = bytes[..length].iter().enumerate();
    let number = digits.map(|(place, byte)| usize::from(byte & 0x7f) << (7 * place)).sum();
    Some((number, &bytes[length..]))
}

/// Takes the comments out of the JavaScript that wasm-bindgen writes beside the WASM, in place: a fifteenth of its
/// bytes. Trunk's `--minify` leaves that file as it is.
pub(super) fn strip_comments(client: &Path) -> Result {
    let wasm = wasm_file(client)?;
    let script = client.join(format!("{}.js", stem(&wasm).unwrap_or_default()));
    files::write(&script, without_comments(&files::read_text(&script)?))
}

/// The script without the lines that are nothing but comment, as wasm-bindgen writes all of its own.
fn without_comments(script: &str) -> String {
    let mut in_comment = false;
    let is_code = |line: &&str| {
        let text = line.trim();
        let begins = text.starts_with("/**");
        let is_comment = in_comment || begins || text.starts_with("//");
        in_comment = (in_comment || begins) && !text.ends_with("*/");
        !is_comment
    };
    script.split_inclusive('\n').filter(is_code).collect()
}

/// Makes one style sheet of those that the page links to, in their order: a page is not drawn before it has them all.
pub(super) fn merge_styles(client: &Path) -> Result {
    const MERGED: &str = "client.css";
    let page = client.join("index.html");
    let text = files::read_text(&page)?;
    let (merged_page, sheets) = with_one_style(&text, MERGED);
    let mut merged = String::new();
    for sheet in sheets {
        merged.push_str(&files::read_text(&client.join(sheet))?);
        files::remove(&client.join(sheet))?;
    }
    files::write(&client.join(MERGED), merged)?;
    files::write(&page, merged_page)
}

/// The page with a link to `merged` in place of the first of its own style sheets and without the others, and the
/// names of all of them.
fn with_one_style<'a>(page: &'a str, merged: &str) -> (String, Vec<&'a str>) {
    let mut sheets = Vec::new();
    let mut kept = String::with_capacity(page.len());
    for line in page.split_inclusive('\n') {
        let Some(sheet) = own_style(line) else {
            kept.push_str(line);
            continue;
        };
        if sheets.is_empty() {
            kept.push_str(&line.replace(sheet, merged));
        }
        sheets.push(sheet);
    }
    (kept, sheets)
}

/// The file that a line links to as a style sheet, where it has no other attributes, such as a medium of its own.
fn own_style(line: &str) -> Option<&str> {
    let sheet = line.trim_start().strip_prefix(r#"<link rel="stylesheet" href="/"#)?;
    let (name, _) = sheet.split_once(r#""/>"#)?;
    (!name.starts_with('/') && !name.contains('"')).then_some(name)
}

/// Names every file that the page names after its final bytes: the server lets browsers keep those for ever.
pub(super) fn name_by_content(client: &Path) -> Result {
    let page = client.join("index.html");
    let mut text = files::read_text(&page)?;
    for file in files::below(client)? {
        let Some(old) = file.file_name().and_then(|name| name.to_str()) else { continue };
        if file == page || !text.contains(old) {
            continue;
        }
        let new = named_by(&files::read(&file)?, old);
        text = text.replace(old, &new);
        files::rename(&file, &file.with_file_name(new))?;
    }
    files::write(&page, text)
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

/// `client-<trunk's hash>_bg.wasm` becomes `client-bg-<our hash>.wasm`: the first half of what the server knows the
/// file by.
fn named_by(bytes: &[u8], old: &str) -> String {
    const HASH_BYTES: usize = 8;
    // Trunk leaves zeros at the front out; no word of a name is that long.
    let is_hash = |part: &str| {
        (12..=2 * HASH_BYTES).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    let (stem, end) = old.split_once('.').unwrap_or((old, ""));
    let name: Vec<&str> = stem.split(['-', '_']).filter(|part| !is_hash(part)).collect();
    let hash: String = Sha256::digest(bytes)[..HASH_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hash}.{end}", name.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_go_and_everything_else_stays() {
        let head = b"\0asm\x01\0\0\0";
        let code = [&[10, 0x83, 0x01][..], &[7; 131]].concat();
        let module = [head, &code[..], b"\0\x07\x04nameab", b"\0\x05\x04more", b"\x01\x01x"].concat();
        let kept = [head, &code[..], b"\0\x05\x04more", b"\x01\x01x"].concat();
        assert_eq!(without_names(&module), Some(kept));
        assert_eq!(without_names(&module[..20]), None, "cut in the middle of a section");
    }

    #[test]
    fn comments_go_and_code_stays() {
        let script = "/** One. */\nlet a = 1; // kept\n  /**\n   * @returns {number}\n   */\n  get b() {}\n// Gone.\n`//`";
        assert_eq!(without_comments(script), "let a = 1; // kept\n  get b() {}\n`//`");
    }

    #[test]
    fn the_page_links_to_one_style_sheet_of_its_own() {
        let link = |name: &str| format!("    <link rel=\"stylesheet\" href=\"{name}\"/>\n");
        let elsewhere = link("//fonts.example.org/a.css");
        let page = format!("<head>\n{}{elsewhere}{}</head>\n", link("/style-1.css"), link("/poll-2.css"));
        let expected = format!("<head>\n{}{elsewhere}</head>\n", link("/client.css"));
        assert_eq!(with_one_style(&page, "client.css"), (expected, vec!["style-1.css", "poll-2.css"]));
        let print = r#"<link rel="stylesheet" href="/print.css" media="print"/>"#;
        assert_eq!(own_style(print), None, "it is for another medium");
    }

    #[test]
    fn style_sheets_are_merged_in_the_order_of_their_links() {
        let client = std::env::temp_dir().join(format!("styles-{}", std::process::id()));
        let page = "<link rel=\"stylesheet\" href=\"/b.css\"/>\n<link rel=\"stylesheet\" href=\"/a.css\"/>\n";
        for (name, text) in [("index.html", page), ("a.css", "p {}\n"), ("b.css", "a {}\n")] {
            files::write(&client.join(name), text).unwrap();
        }
        merge_styles(&client).unwrap();
        assert_eq!(files::read_text(&client.join("client.css")).unwrap(), "a {}\np {}\n");
        assert!(!client.join("a.css").exists() && !client.join("b.css").exists());
        files::remove(&client).unwrap();
    }

    #[test]
    fn the_loader_knows_the_size_that_is_left() {
        let client = std::env::temp_dir().join(format!("size-{}", std::process::id()));
        let module = b"\0asm\x01\0\0\0\0\x07\x04nameab";
        files::write(&client.join("app_bg.wasm"), module).unwrap();
        files::write(&client.join("index.html"), "(init, '/app_bg.wasm', 17, initializer(), true)").unwrap();
        strip_names(&client).unwrap();
        let page = files::read_text(&client.join("index.html")).unwrap();
        assert_eq!(page, "(init, '/app_bg.wasm', 8, initializer(), true)");
        files::remove(&client).unwrap();
    }

    #[test]
    fn files_are_named_after_their_bytes_and_the_page_follows() {
        let client = std::env::temp_dir().join(format!("finish-{}", std::process::id()));
        let build = |wasm: &str| {
            for (name, text) in [("app-0123456789abcdef_bg.wasm", wasm), ("0123456789abcdef-boot.js", "js")] {
                files::write(&client.join(name), text).unwrap();
            }
            let page = "/0123456789abcdef-boot.js /app-0123456789abcdef_bg.wasm";
            files::write(&client.join("index.html"), page).unwrap();
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
        assert!(named_by(b"js", "client-5d0f89679541543_bg.wasm").starts_with("client-bg-16cedf80"));
        // `printf js | sha256sum`
        assert!(build("one").starts_with("/boot-16cedf80ade01c62.js /app-bg-"), "{}", build("one"));
    }
}
