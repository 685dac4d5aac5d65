//! Markers in source files: comments that mark lines as part of the demo, or as true of the template only.
//!
//! A line that ends in a comment `demo` belongs to the demo, and so does a block from `demo: begin` to `demo: end`.
//! `template` marks what is true of the template but not of products made from it, such as the introduction in the
//! README. The two are separate because a product that keeps the demo still changes its name: `delete-demo` removes
//! one kind and `rename` the other, in either order. A block may contain markers of the other kind.

/// Kind of marker.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Marker {
    Demo,
    Template,
}

impl Marker {
    fn word(self) -> &'static str {
        match self {
            Marker::Demo => "demo",
            Marker::Template => "template",
        }
    }
}

/// xtask's own sources, which mention the markers without being marked.
const UNMARKED: &str = "xtask/";

/// Comment syntax of the files that may have markers, as opening and closing text.
fn comment_syntax(path: &str) -> Option<(&'static str, &'static str)> {
    if path.starts_with(UNMARKED) {
        return None;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or(name, |(_, extension)| extension);
    match extension {
        "rs" | "js" => Some(("// ", "")),
        "toml" | "yml" | "sh" | "Dockerfile" | "size-budget" => Some(("# ", "")),
        "html" | "md" => Some(("<!-- ", " -->")),
        "css" => Some(("/* ", " */")),
        _ => None,
    }
}

/// Removes the marked lines from a text. Returns None if there are none.
///
/// Fails on a `begin` without `end` and on an `end` without `begin`.
pub(crate) fn strip(marker: Marker, path: &str, text: &str) -> Result<Option<String>, String> {
    let Some((open, close)) = comment_syntax(path) else { return Ok(None) };
    let word = marker.word();
    let line_marker = format!("{open}{word}{close}");
    let begin = format!("{open}{word}: begin{close}");
    let end = format!("{open}{word}: end{close}");
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let trimmed = line.trim();
        if trimmed == begin || trimmed == end {
            let begins = trimmed == begin;
            if begins == inside {
                return Err(format!("{path}:{number}: `{trimmed}` has no counterpart"));
            }
            inside = begins;
        } else if !inside && !trimmed.ends_with(&line_marker) {
            kept.push_str(line);
        }
    }
    if inside {
        return Err(format!("{path}: `{begin}` has no counterpart"));
    }
    Ok((kept.len() < text.len()).then_some(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip_demo(name: &str, text: &str) -> Option<String> {
        strip(Marker::Demo, name, text).unwrap()
    }

    #[test]
    fn marked_lines_are_removed_and_all_others_stay_unchanged() {
        assert_eq!(
            strip_demo("a.rs", "mod poll; // demo\r\nmod core;\r\n").as_deref(),
            Some("mod core;\r\n")
        );
        assert_eq!(strip_demo("a.js", "one(); // demo\n").as_deref(), Some(""));
        assert_eq!(strip_demo("a.toml", "a = 1\nb = 2 # demo\n").as_deref(), Some("a = 1\n"));
        assert_eq!(strip_demo("a.css", "@import 'poll'; /* demo */\n").as_deref(), Some(""));
        assert_eq!(strip_demo("deploy/Dockerfile", "RUN poll # demo\n").as_deref(), Some(""));
        assert_eq!(strip_demo("a.rs", "// demonstration\n"), None);
        assert_eq!(strip_demo("a.png", "// demo\n"), None);
    }

    #[test]
    fn a_block_is_removed_with_its_markers() {
        let text = "# Title\n<!-- demo: begin -->\n## Poll\n\n<!-- demo: end -->\n## More\n";
        assert_eq!(strip_demo("README.md", text).as_deref(), Some("# Title\n## More\n"));
    }

    #[test]
    fn each_marker_removes_its_own_lines_in_either_order() {
        let text =
            "# template: begin\none\n# demo: begin\ntwo\n# demo: end\n# template: end\nthree # demo\nfour\n";
        let after = |markers: [Marker; 2]| {
            markers.iter().fold(text.to_owned(), |text, marker| {
                strip(*marker, "a.toml", &text).unwrap().unwrap_or(text)
            })
        };
        assert_eq!(after([Marker::Demo, Marker::Template]), "four\n");
        assert_eq!(after([Marker::Template, Marker::Demo]), "four\n");
        let without_template = strip(Marker::Template, "a.toml", text).unwrap();
        assert_eq!(without_template.as_deref(), Some("three # demo\nfour\n"));
    }

    #[test]
    fn a_marker_without_counterpart_is_named() {
        let fails = |text| strip(Marker::Demo, "a.rs", text).unwrap_err();
        assert!(fails("one\n// demo: end\n").starts_with("a.rs:2"));
        assert!(fails("// demo: begin\n// demo: begin\n").starts_with("a.rs:2"));
        assert!(fails("// demo: begin\n").contains("demo: begin"));
    }
}
