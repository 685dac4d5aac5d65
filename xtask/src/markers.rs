//! Marks in the source: which lines belong to the demo, and which to the template alone.
//!
//! A line that ends in a comment `demo` is the demo's, and so is all from `demo: begin` to `demo: end`. `template`
//! marks in the same way what is true of the template and of no product that is made of it, such as its
//! introduction in the README. They are two, as a product that keeps the demo has a name of its own all the same:
//! `delete-demo` removes the one, `rename` the other, in either order. A block may hold marks of the other kind.
//! Comments are written as each kind of file has them.

/// The owner of marked lines.
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

/// A comment of one kind of file: its beginning and its end.
type Comment = (&'static str, &'static str);

/// The comment that marks are written in; none for a kind of file that has no marks.
fn comment(path: &str) -> Option<Comment> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map_or(name, |(_, kind)| kind) {
        "rs" | "js" => Some(("// ", "")),
        "toml" | "yml" | "sh" | "Dockerfile" | "size-budget" => Some(("# ", "")),
        "html" | "md" => Some(("<!-- ", " -->")),
        "css" => Some(("/* ", " */")),
        _ => None,
    }
}

/// A text without what is marked; None if nothing is.
///
/// Fails on a `begin` without `end` and the other way round.
pub(crate) fn strip(mark: Marker, path: &str, text: &str) -> Result<Option<String>, String> {
    let Some((open, close)) = comment(path) else { return Ok(None) };
    let word = mark.word();
    let line_mark = format!("{open}{word}{close}");
    let (begin, end) = (format!("{open}{word}: begin{close}"), format!("{open}{word}: end{close}"));
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim();
        if bare == begin || bare == end {
            let begins = bare == begin;
            if begins == inside {
                return Err(format!("{path}:{}: `{bare}` has no counterpart", number + 1));
            }
            inside = begins;
        } else if !inside && !bare.ends_with(&line_mark) {
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
    fn marked_lines_go_and_all_others_stay_as_they_are() {
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
    fn a_block_goes_with_its_marks() {
        let text = "# Title\n<!-- demo: begin -->\n## Poll\n\n<!-- demo: end -->\n## More\n";
        assert_eq!(strip_demo("README.md", text).as_deref(), Some("# Title\n## More\n"));
    }

    #[test]
    fn each_mark_removes_its_own_lines_whichever_comes_first() {
        let text =
            "# template: begin\none\n# demo: begin\ntwo\n# demo: end\n# template: end\nthree # demo\nfour\n";
        let after = |marks: [Marker; 2]| {
            marks
                .iter()
                .fold(text.to_owned(), |text, mark| strip(*mark, "a.toml", &text).unwrap().unwrap_or(text))
        };
        assert_eq!(after([Marker::Demo, Marker::Template]), "four\n");
        assert_eq!(after([Marker::Template, Marker::Demo]), "four\n");
        let without_template = strip(Marker::Template, "a.toml", text).unwrap();
        assert_eq!(without_template.as_deref(), Some("three # demo\nfour\n"));
    }

    #[test]
    fn a_mark_without_its_counterpart_is_named() {
        let fails = |text| strip(Marker::Demo, "a.rs", text).unwrap_err();
        assert!(fails("one\n// demo: end\n").starts_with("a.rs:2"));
        assert!(fails("// demo: begin\n// demo: begin\n").starts_with("a.rs:2"));
        assert!(fails("// demo: begin\n").contains("demo: begin"));
    }
}
