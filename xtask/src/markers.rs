//! Marks in the source: which lines belong to the demo.
//!
//! A line that ends in a comment `demo` is the demo's, and so is all from `demo: begin` to `demo: end`.
//! Comments are written as each kind of file has them.

use std::path::Path;

/// The marks of one kind of file.
struct Marks {
    line: &'static str,
    begin: &'static str,
    end: &'static str,
}

const SLASHES: Marks = Marks { line: "// demo", begin: "// demo: begin", end: "// demo: end" };
const HASH: Marks = Marks { line: "# demo", begin: "# demo: begin", end: "# demo: end" };
const HTML: Marks = Marks { line: "<!-- demo -->", begin: "<!-- demo: begin -->", end: "<!-- demo: end -->" };
const CSS: Marks = Marks { line: "/* demo */", begin: "/* demo: begin */", end: "/* demo: end */" };

/// A text without what is marked; None if nothing is, or if this kind of file has no marks.
///
/// Fails on a `begin` without `end` and the other way round.
pub(crate) fn without_demo(path: &Path, text: &str) -> Result<Option<String>, String> {
    let marks = match path.extension().and_then(|kind| kind.to_str()) {
        Some("rs" | "js") => SLASHES,
        Some("toml") => HASH,
        Some("html" | "md") => HTML,
        Some("css") => CSS,
        _ => return Ok(None),
    };
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim();
        let unpaired = || Err(format!("{}:{}: `{bare}` has no counterpart", path.display(), number + 1));
        if bare == marks.begin || bare == marks.end {
            let begins = bare == marks.begin;
            if begins == inside {
                return unpaired();
            }
            inside = begins;
        } else if !inside && !bare.ends_with(marks.line) {
            kept.push_str(line);
        }
    }
    if inside {
        return Err(format!("{}: `{}` has no counterpart", path.display(), marks.begin));
    }
    Ok((kept.len() < text.len()).then_some(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(name: &str, text: &str) -> Option<String> {
        without_demo(Path::new(name), text).unwrap()
    }

    #[test]
    fn marked_lines_go_and_all_others_stay_as_they_are() {
        assert_eq!(strip("a.rs", "mod chat; // demo\r\nmod core;\r\n").as_deref(), Some("mod core;\r\n"));
        assert_eq!(strip("a.js", "one(); // demo\n").as_deref(), Some(""));
        assert_eq!(strip("a.toml", "a = 1\nb = 2 # demo\n").as_deref(), Some("a = 1\n"));
        assert_eq!(strip("a.css", "@import 'chat'; /* demo */\n").as_deref(), Some(""));
        assert_eq!(strip("a.rs", "// demonstration\n"), None);
        assert_eq!(strip("a.png", "// demo\n"), None);
    }

    #[test]
    fn a_block_goes_with_its_marks() {
        let text = "# Title\n<!-- demo: begin -->\n## Chat\n\n<!-- demo: end -->\n## More\n";
        assert_eq!(strip("README.md", text).as_deref(), Some("# Title\n## More\n"));
    }

    #[test]
    fn a_mark_without_its_counterpart_is_named() {
        let fails = |text| without_demo(Path::new("a.rs"), text).unwrap_err();
        assert!(fails("one\n// demo: end\n").starts_with("a.rs:2"));
        assert!(fails("// demo: begin\n// demo: begin\n").starts_with("a.rs:2"));
        assert!(fails("// demo: begin\n").contains("demo: begin"));
    }
}
