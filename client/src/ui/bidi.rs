//! Text of unknown direction inside other text.

/// Wraps a name in isolation marks, so that its direction of writing does not affect the text around it. For plain
/// text, where `<bdi>` cannot be used.
pub fn isolate_bidi(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}
