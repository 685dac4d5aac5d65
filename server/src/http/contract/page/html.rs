//! The few pieces of HTML that the page is made of.

use serde_json::Value;

/// A string of a document; empty where there is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text as HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text in which code stands between backticks.
pub fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { code(part) } else { escape(part) }).collect()
}

/// Code inside a line.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// An example, for those who use the keyboard too: it may be wider than the screen.
pub fn example(value: &Value, label: &str) -> String {
    let label = escape(label);
    format!(
        "<pre tabindex=\"0\" role=\"region\" aria-label=\"Example: {label}\"><code>{}</code></pre>\n",
        escape(&format!("{value:#}"))
    )
}

/// One row of a list: what it is, a note on it, and what it means.
pub fn row(what: &str, note: &str, about: &str) -> String {
    format!("<div><dt>{what} <span class=\"note\">{note}</span></dt><dd>{about}</dd></div>\n")
}

/// A list with a heading; nothing where there are no rows.
pub fn list(title: &str, rows: &str) -> String {
    if rows.is_empty() {
        String::new()
    } else {
        format!("<p class=\"label\">{title}</p>\n<dl>\n{rows}</dl>\n")
    }
}
