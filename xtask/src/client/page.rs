//! The client's page: `client/index.html` with its `data-trunk` links replaced.
//!
//! The page is written for trunk, so that `trunk serve` works too (<https://trunkrs.dev/assets/>). Only the part of
//! trunk's language that the page uses is supported; any other link is an error, as its file would be missing.

use super::compile::{Code, Mode};
use super::output::OutputDir;
use crate::failure::Result;
use crate::files;
use html5gum::emitters::default::{DefaultEmitter, Token};
use html5gum::{HtmlString, Tokenizer};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

const SUPPORTED_RELS: [&str; 5] = ["icon", "css", "copy-file", "copy-dir", "rust"];

/// Source text of the page and the links to replace in it.
pub(super) struct IndexPage {
    source: PathBuf,
    text: String,
    links: Vec<Link>,
}

/// One `<link data-trunk …>`.
#[derive(Clone, Debug, PartialEq)]
struct Link {
    /// Byte range in the page.
    range: Range<usize>,
    rel: String,
    attributes: BTreeMap<String, String>,
}

impl IndexPage {
    pub(super) fn read(source: &Path) -> Result<Self> {
        let text = files::read_text(source)?;
        let links = parse_links(&text).map_err(|reason| format!("{}: {reason}", source.display()))?;
        Ok(IndexPage { source: source.to_owned(), text, links })
    }

    /// Attribute of the link to the client's code.
    pub(super) fn code_attribute(&self, attribute: &str) -> Option<&str> {
        let code = self.links.iter().find(|link| link.rel == "rust")?;
        code.attributes.get(attribute).map(String::as_str)
    }

    /// Writes the page and all files it links to into the folder.
    pub(super) fn write(&self, mode: Mode, code: &Code, folder: &OutputDir) -> Result {
        let sheets: Vec<&Link> = self.links.iter().filter(|link| link.rel == "css").collect();
        let mut page = self.text.clone();
        // From the last link to the first: a replacement moves everything behind it.
        for link in self.links.iter().rev() {
            let replacement = match link.rel.as_str() {
                // The first link stands for all of them.
                "css" if link == sheets[0] => self.style_sheet(&sheets, folder)?,
                "css" => String::new(),
                "rust" => self.loader(mode, code, folder)?,
                "icon" => self.icon(link, folder)?,
                _ => self.copy(link, folder)?,
            };
            page.replace_range(link.range.clone(), &replacement);
        }
        folder.add("index.html", page.as_bytes())?;
        Ok(())
    }

    /// Replacement of all links to style sheets: one file with their contents in this order, as a page is not drawn
    /// before it has loaded each file.
    fn style_sheet(&self, sheets: &[&Link], folder: &OutputDir) -> Result<String> {
        let mut merged = String::new();
        for sheet in sheets {
            merged.push_str(&files::read_text(&self.target(sheet)?)?);
        }
        let url = folder.add_hashed("client.css", merged.as_bytes())?;
        Ok(format!(r#"<link rel="stylesheet" href="{url}">"#))
    }

    /// Replacement of the link to the code: preloads of its files, and the call that starts them.
    fn loader(&self, mode: Mode, code: &Code, folder: &OutputDir) -> Result<String> {
        for (path, text) in &code.snippets {
            folder.add(path, text.as_bytes())?;
        }
        let script = folder.add_hashed("client.js", code.script.as_bytes())?;
        let wasm = folder.add_hashed("client.wasm", &code.wasm)?;
        let boot = self.code_attribute("data-initializer").ok_or("the page has no data-initializer")?;
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

    /// Replacement of a link to an icon.
    fn icon(&self, link: &Link, folder: &OutputDir) -> Result<String> {
        let source = self.target(link)?;
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        let url = folder.add_hashed(&name, &files::read(&source)?)?;
        let mut attributes = String::new();
        for (name, value) in &link.attributes {
            if name != "rel" && name != "href" && !name.starts_with("data-") {
                attributes.push_str(&format!(r#" {name}="{}""#, escape_attribute(value)));
            }
        }
        Ok(format!(r#"<link rel="icon" href="{url}"{attributes}>"#))
    }

    /// Copies a linked file or folder, whose link is replaced by nothing. The names stay, as others may refer to them.
    fn copy(&self, link: &Link, folder: &OutputDir) -> Result<String> {
        let source = self.target(link)?;
        let parent = source.parent().unwrap_or(&source);
        for file in files::walk(&source)? {
            let name = file.strip_prefix(parent).unwrap_or(&file);
            folder.add(&name.to_string_lossy(), &files::read(&file)?)?;
        }
        Ok(String::new())
    }

    /// Path of the file or folder that a link names.
    fn target(&self, link: &Link) -> Result<PathBuf> {
        let href = link.attributes.get("href");
        let href = href.ok_or_else(|| format!("a link {:?} of the page has no href", link.rel))?;
        Ok(self.resolve(href))
    }

    fn resolve(&self, path: &str) -> PathBuf {
        self.source.parent().unwrap_or(&self.source).join(path)
    }
}

/// Finds the links to replace, in the order of the page.
fn parse_links(text: &str) -> Result<Vec<Link>, String> {
    let mut emitter = DefaultEmitter::new_with_span();
    // Otherwise a link inside a script or a comment would count.
    emitter.naively_switch_states(true);
    let tokens = Tokenizer::new_with_emitter(text, emitter);
    let links: Vec<Link> = tokens.filter_map(|Ok(token)| parse_link(token)).collect();
    let code_links = links.iter().filter(|link| link.rel == "rust").count();
    if code_links != 1 {
        return Err(format!("it must have one `<link data-trunk rel=\"rust\">`, and has {code_links}"));
    }
    match links.iter().find(|link| !SUPPORTED_RELS.contains(&link.rel.as_str())) {
        Some(link) => Err(format!(
            "`data-trunk rel={:?}` is not supported by xtask; supported: {}",
            link.rel,
            SUPPORTED_RELS.join(", ")
        )),
        None => Ok(links),
    }
}

fn parse_link(token: Token<usize>) -> Option<Link> {
    let Token::StartTag(tag) = token else { return None };
    let text = |text: &HtmlString| String::from_utf8_lossy(text).into_owned();
    let mut attributes = BTreeMap::new();
    for (name, value) in &tag.attributes {
        attributes.insert(text(name), text(&value.value));
    }
    if text(&tag.name) != "link" || !attributes.contains_key("data-trunk") {
        return None;
    }
    let rel = attributes.get("rel").cloned().unwrap_or_default();
    Some(Link { range: tag.span.start..tag.span.end, rel, attributes })
}

fn escape_attribute(value: &str) -> String {
    value.replace('&', "&amp;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = r#"<link data-trunk rel="rust" data-target-name="app" data-initializer="boot.js">"#;

    /// Writes a page with these links and returns its text and the names of all files.
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
        let page = IndexPage::read(&root.join("client/index.html")).unwrap();
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
    fn every_linked_file_exists_and_the_rest_of_the_page_is_unchanged() {
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
            assert!(names.iter().any(|name| name == url), "{url} does not exist: {names:?}");
        }
        for kept in ["img/x/y.txt", "i.svg", "snippets/one/inline0.js"] {
            assert!(names.iter().any(|name| name == kept), "{kept} keeps its name: {names:?}");
        }
    }

    #[test]
    fn only_a_watched_page_reloads_itself() {
        assert!(written("watched", Mode::Watched, "").0.contains("/reload-"));
        assert!(!written("dev", Mode::Development, "").0.contains("/reload-"));
    }

    #[test]
    fn an_unsupported_link_is_named() {
        let failed = |text: &str| parse_links(text).unwrap_err();
        assert!(
            failed(&format!(r#"<link data-trunk rel="scss" href="a.scss">{CODE}"#)).contains(r#"rel="scss""#)
        );
        assert!(failed("<p>").contains("has 0"));
        assert!(failed(&format!("<script>'{CODE}'</script>")).contains("has 0"));
        assert!(failed(&format!("{CODE}{CODE}")).contains("has 2"));
    }
}
