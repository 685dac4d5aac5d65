//! The client's page: `client/index.html` with what its `data-trunk` links stand for.
//!
//! The page is written for trunk, so that `trunk serve` works too (<https://trunkrs.dev/assets/>). This is the part of
//! its language that the page needs; a link of another kind is an error, as it would be missing otherwise.

use super::compile::{Code, Mode};
use super::output::OutputDir;
use crate::failure::Result;
use crate::files;
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use html5gum::{HtmlString, Tokenizer};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

const SUPPORTED_RELS: &str = "icon, css, copy-file, copy-dir and rust";

/// A page as it was written, and the links in it that are to be replaced.
pub(super) struct Page {
    source: PathBuf,
    text: String,
    links: Vec<Link>,
}

/// One `<link data-trunk …>`.
#[derive(Clone, Debug, PartialEq)]
struct Link {
    /// The bytes of the page that it takes.
    range: Range<usize>,
    rel: String,
    attributes: BTreeMap<String, String>,
}

impl Page {
    /// Reads a page.
    pub(super) fn read(source: &Path) -> Result<Self> {
        let text = files::read_text(source)?;
        let links = parse_links(&text).map_err(|reason| format!("{}: {reason}", source.display()))?;
        Ok(Page { source: source.to_owned(), text, links })
    }

    /// An attribute of the link to the client's own code.
    pub(super) fn code_attribute(&self, attribute: &str) -> Option<&str> {
        let code = self.links.iter().find(|link| link.rel == "rust")?;
        code.attributes.get(attribute).map(String::as_str)
    }

    /// Writes the page into the folder, with all that it links to.
    pub(super) fn write(&self, mode: Mode, code: &Code, folder: &OutputDir) -> Result {
        let mut styles = self.style_sheet(folder)?;
        let (mut page, mut written) = (String::new(), 0);
        for link in &self.links {
            page.push_str(&self.text[written..link.range.start]);
            written = link.range.end;
            match link.rel.as_str() {
                "css" => {
                    let sheet = styles.take().map(|url| format!(r#"<link rel="stylesheet" href="{url}">"#));
                    page.push_str(&sheet.unwrap_or_default());
                }
                "rust" => page.push_str(&self.loader(mode, code, folder)?),
                _ => page.push_str(&self.copy(link, folder)?),
            }
        }
        page.push_str(&self.text[written..]);
        folder.add("index.html", page.as_bytes())?;
        Ok(())
    }

    /// The URL of one style sheet made of all, in their order: a page is not drawn before it has them.
    fn style_sheet(&self, folder: &OutputDir) -> Result<Option<String>> {
        let sheets: Vec<&Link> = self.links.iter().filter(|link| link.rel == "css").collect();
        if sheets.is_empty() {
            return Ok(None);
        }
        let mut merged = String::new();
        for sheet in sheets {
            merged.push_str(&files::read_text(&self.file(sheet, "href")?)?);
        }
        folder.add_hashed("client.css", merged.as_bytes()).map(Some)
    }

    /// The replacement of the link to the code: files that are fetched at once, and the call that starts them.
    fn loader(&self, mode: Mode, code: &Code, folder: &OutputDir) -> Result<String> {
        for (path, text) in &code.snippets {
            folder.add(path, text.as_bytes())?;
        }
        let script = folder.add_hashed("client.js", code.script.as_bytes())?;
        let wasm = folder.add_hashed("client.wasm", &code.wasm)?;
        let boot = self.code_attribute("data-initializer").ok_or("the page names no data-initializer")?;
        let boot = folder.add_hashed("boot.js", &files::read(&self.resolve(boot))?)?;
        let size = code.wasm.len();
        let mut loader = format!(
            r#"<link rel="modulepreload" href="{script}">
    <link rel="preload" href="{wasm}" as="fetch" type="application/wasm" crossorigin>
    <script type="module">import {{ load }} from "{boot}"; load("{script}", "{wasm}", {size});</script>"#
        );
        if mode == Mode::Watched {
            let reload = folder.add_hashed("reload.js", include_bytes!("reload.js"))?;
            loader.push_str(&format!(r#"<script type="module" src="{reload}"></script>"#));
        }
        Ok(loader)
    }

    /// The replacement of a link to a file that is taken as it is.
    fn copy(&self, link: &Link, folder: &OutputDir) -> Result<String> {
        let source = self.file(link, "href")?;
        let name =
            source.file_name().and_then(|name| name.to_str()).ok_or("a file of the page has no name")?;
        match link.rel.as_str() {
            "icon" => {
                let url = folder.add_hashed(name, &files::read(&source)?)?;
                let kept = |name: &str| name != "rel" && name != "href" && !name.starts_with("data-");
                let others = link.attributes.iter().filter(|(name, _)| kept(name));
                let others: String =
                    others.map(|(name, value)| format!(r#" {name}="{}""#, escape_attribute(value))).collect();
                Ok(format!(r#"<link rel="icon" href="{url}"{others}>"#))
            }
            // These keep their names, which others may know.
            _ => {
                let base =
                    if source.is_dir() { source.as_path() } else { source.parent().unwrap_or(&source) };
                for file in files::walk(&source)? {
                    let below = file.strip_prefix(base).unwrap_or(&file);
                    let target = if source.is_dir() { Path::new(name).join(below) } else { below.to_owned() };
                    folder.add(&target.to_string_lossy(), &files::read(&file)?)?;
                }
                Ok(String::new())
            }
        }
    }

    fn file(&self, link: &Link, attribute: &str) -> Result<PathBuf> {
        let href = link.attributes.get(attribute);
        let href = href.ok_or_else(|| format!("a link {:?} of the page has no {attribute}", link.rel))?;
        Ok(self.resolve(href))
    }

    fn resolve(&self, path: &str) -> PathBuf {
        self.source.parent().unwrap_or(&self.source).join(path)
    }
}

/// The links of a page that are to be replaced, in their order.
fn parse_links(text: &str) -> std::result::Result<Vec<Link>, String> {
    let mut reader = DefaultEmitter::new_with_span();
    // A script or a comment that speaks of a link holds none.
    reader.naively_switch_states(true);
    let tags = Tokenizer::new_with_emitter(text, reader).filter_map(|token| match token {
        Ok(Token::StartTag(tag)) => parse_link(tag),
        _ => None,
    });
    let found: Vec<Link> = tags.collect();
    let count = |rel: &str| found.iter().filter(|link| link.rel == rel).count();
    if count("rust") != 1 {
        return Err(format!("it must have one `<link data-trunk rel=\"rust\">`, and has {}", count("rust")));
    }
    let known = |link: &Link| SUPPORTED_RELS.split([',', ' ']).any(|kind| kind == link.rel);
    match found.iter().find(|link| !known(link)) {
        Some(link) => {
            Err(format!("`data-trunk rel={:?}` is not understood here; {SUPPORTED_RELS} are", link.rel))
        }
        None => Ok(found),
    }
}

fn parse_link(tag: StartTag<usize>) -> Option<Link> {
    let text = |text: &HtmlString| String::from_utf8_lossy(text).into_owned();
    let attributes: BTreeMap<String, String> =
        tag.attributes.iter().map(|(name, value)| (text(name), text(&value.value))).collect();
    let is_ours = text(&tag.name) == "link" && attributes.contains_key("data-trunk");
    let rel = attributes.get("rel").cloned().unwrap_or_default();
    is_ours.then_some(Link { range: tag.span.start..tag.span.end, rel, attributes })
}

/// A text as it stands in an attribute.
fn escape_attribute(value: &str) -> String {
    value.replace('&', "&amp;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = r#"<link data-trunk rel="rust" data-target-name="app" data-initializer="boot.js">"#;

    /// The files that a page with these links becomes, by name, in a folder of its own.
    fn written(name: &str, mode: Mode, links: &str) -> (String, Vec<String>) {
        let root = std::env::temp_dir().join(format!("page-{name}-{}", std::process::id()));
        for (path, text) in
            [("b.css", "b{}"), ("a.css", "a{}"), ("i.svg", "<svg/>"), ("boot.js", ""), ("img/x/y.txt", "y")]
        {
            files::write(&root.join("client").join(path), text).unwrap();
        }
        files::write(
            &root.join("client/index.html"),
            format!("<!doctype html>\r\n<!-- ä <link data-trunk> -->{links}{CODE}<p>x"),
        )
        .unwrap();
        let page = Page::read(&root.join("client/index.html")).unwrap();
        let snippets = [("snippets/one/inline0.js".to_owned(), "export {}".to_owned())].into();
        let code = Code { script: "js".into(), wasm: b"wasm".to_vec(), snippets };
        let folder = OutputDir::create(&root.join("finished")).unwrap();
        page.write(mode, &code, &folder).unwrap();
        folder.finish().unwrap();
        let text = files::read_text(&root.join("finished/index.html")).unwrap();
        let name = |file: PathBuf| file.strip_prefix(root.join("finished")).unwrap().display().to_string();
        let names = files::walk(&root.join("finished")).unwrap().into_iter().map(name).collect();
        let sheet = files::walk(&root.join("finished"))
            .unwrap()
            .into_iter()
            .find(|file| file.extension().is_some_and(|kind| kind == "css"));
        assert!(
            sheet.is_none_or(|sheet| files::read_text(&sheet).unwrap() == "b{}a{}"),
            "the order of the links"
        );
        files::remove(&root).unwrap();
        (text, names)
    }

    #[test]
    fn every_file_that_the_page_names_is_there_and_the_rest_is_as_it_was() {
        let links = r#"<link data-trunk rel="css" href="b.css"><link data-trunk rel="icon" href="i.svg" type="image/svg+xml" title="a &amp; &quot;b&quot;">
            <link data-trunk rel="css" href="a.css"/><link rel="stylesheet" href="https://example.org/c.css">
            <link data-trunk rel="copy-dir" href="img"><link data-trunk rel="copy-file" href="i.svg">"#;
        let (text, names) = written("whole", Mode::Release, links);
        assert!(
            text.starts_with(
                "<!doctype html>\r\n<!-- ä <link data-trunk> --><link rel=\"stylesheet\" href=\"/client-"
            ),
            "{text}"
        );
        assert!(text.ends_with("</script><p>x") && text.contains("https://example.org/c.css"), "{text}");
        assert!(!text.contains("data-trunk rel") && !text.contains("/reload-"), "{text}");
        assert!(
            text.contains(r#"title="a &amp; &quot;b&quot;" type="image/svg+xml">"#)
                && text.contains(", 4);</script>"),
            "{text}"
        );
        for url in text.split('"').filter_map(|word| word.strip_prefix('/')) {
            assert!(names.iter().any(|name| name == url), "{url} is not there: {names:?}");
        }
        for kept in ["img/x/y.txt", "i.svg", "snippets/one/inline0.js"] {
            assert!(names.iter().any(|name| name == kept), "{kept} keeps its name: {names:?}");
        }
    }

    #[test]
    fn only_a_page_that_is_worked_on_reloads_itself() {
        assert!(written("watched", Mode::Watched, "").0.contains("/reload-"));
        assert!(!written("dev", Mode::Development, "").0.contains("/reload-"));
    }

    #[test]
    fn a_link_that_is_not_understood_is_named() {
        let failed = |text: &str| parse_links(text).unwrap_err();
        assert!(
            failed(&format!(r#"<link data-trunk rel="scss" href="a.scss">{CODE}"#)).contains(r#"rel="scss""#)
        );
        assert!(failed("<p>").contains("has 0"));
        assert!(failed(&format!("<script>'{CODE}'</script>")).contains("has 0"));
        assert!(failed(&format!("{CODE}{CODE}")).contains("has 2"));
    }
}
