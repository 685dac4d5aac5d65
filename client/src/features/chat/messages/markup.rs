//! The text of a message in parts: plain text, addresses that become links, and code. No other markup.
//!
//! Only the backticks around code are removed, so a copied message is complete. An address that could mislead, such as
//! one with a user name before its host (`https://bank.example@evil.example`), stays plain text.

use super::addresses::{may_follow, scan_address};

/// One part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextPart<'a> {
    /// Plain text.
    Text(&'a str),
    /// An `http`, `https` or `mailto` address, shown unchanged.
    Link(&'a str),
    /// Code within a line, from between backticks.
    Code(&'a str),
    /// Lines of code, from between lines of three backticks, the first of which may name the language.
    Block { language: &'a str, code: &'a str },
}

const FENCE: &str = "```";

/// Splits the text of a message into parts. No two parts of plain text follow each other.
pub(super) fn text_parts(text: &str) -> Vec<TextPart<'_>> {
    let mut parts = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while at < text.len() {
        let (len, part) = scan(text, at);
        if let Some(part) = part {
            // The line break before a block belongs to the block.
            let is_block = matches!(part, TextPart::Block { .. });
            let plain_to = if is_block { at.saturating_sub(1).max(plain_from) } else { at };
            push_text(&mut parts, &text[plain_from..plain_to]);
            parts.push(part);
            plain_from = at + len;
        }
        at += len;
    }
    push_text(&mut parts, &text[plain_from..]);
    parts
}

fn push_text<'a>(parts: &mut Vec<TextPart<'a>>, text: &'a str) {
    if !text.is_empty() {
        parts.push(TextPart::Text(text));
    }
}

/// Scans from `at`. Returns the length in bytes of what belongs together, and the part that it is; `None` is plain text.
fn scan(text: &str, at: usize) -> (usize, Option<TextPart<'_>>) {
    let (before, rest) = text.split_at(at);
    match rest.chars().next() {
        Some('`') => {
            let is_at_line_start = before.is_empty() || before.ends_with('\n');
            let block = is_at_line_start.then(|| block(rest)).flatten();
            block.unwrap_or_else(|| span(rest))
        }
        Some('h' | 'H' | 'm' | 'M') if may_follow(before) => {
            let (len, address) = scan_address(rest);
            (len, address.map(TextPart::Link))
        }
        Some(other) => (other.len_utf8(), None),
        None => (0, None),
    }
}

/// Scans a block of code, which begins at the start of a line and ends at the end of one.
fn block(rest: &str) -> Option<(usize, Option<TextPart<'_>>)> {
    let body = rest.strip_prefix(FENCE).filter(|body| !body.starts_with('`'))?;
    let mut candidates = body.match_indices(FENCE).map(|(index, _)| {
        let after = body[index + FENCE.len()..].trim_start_matches([' ', '\t']);
        (&body[..index], after)
    });
    let ends_line = |after: &str| after.is_empty() || after.starts_with('\n');
    let (inner, after) = candidates.find(|(inner, after)| !inner.trim().is_empty() && ends_line(after))?;
    let (language, code) = match inner.split_once('\n') {
        Some((first, lines)) if first.trim().is_empty() => ("", lines),
        Some((first, lines)) if names_language(first, lines) => (first.trim(), lines),
        _ => ("", inner),
    };
    let code = code.strip_suffix('\n').unwrap_or(code);
    let after = after.strip_prefix('\n').unwrap_or(after);
    Some((rest.len() - after.len(), Some(TextPart::Block { language, code })))
}

/// True if the first line names the language: it is a single word, and lines of code follow before a closing line.
fn names_language(first: &str, lines: &str) -> bool {
    first.split_whitespace().count() == 1 && lines.ends_with('\n') && !lines.trim().is_empty()
}

/// Scans code within a line, which ends with as many backticks as it begins with.
fn span(rest: &str) -> (usize, Option<TextPart<'_>>) {
    let body = rest.trim_start_matches('`');
    let ticks = rest.len() - body.len();
    let line = body.split('\n').next().unwrap_or_default();
    let mut at = 0;
    while let Some(distance) = line[at..].find('`') {
        let end = at + distance;
        let after = line[end..].trim_start_matches('`');
        at = line.len() - after.len();
        if at - end == ticks && !line[..end].trim().is_empty() {
            return (ticks + at, Some(TextPart::Code(&line[..end])));
        }
    }
    (ticks, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        let links = text_parts(text).into_iter().filter_map(|part| match part {
            TextPart::Link(address) => Some(address),
            _ => None,
        });
        links.collect()
    }

    /// The text that is shown.
    fn shown(text: &str) -> String {
        let shown = text_parts(text).into_iter().map(|part| match part {
            TextPart::Text(text) | TextPart::Link(text) | TextPart::Code(text) => text.to_owned(),
            TextPart::Block { language, code } => format!("\n{language}\n{code}\n"),
        });
        shown.collect()
    }

    #[test]
    fn plain_text_is_one_part() {
        for text in
            ["hello", "a * b _ c **d** # e > f [g](h)", "<b>no</b> &amp;", "höhe m h", "two\nlines", "🦀"]
        {
            assert_eq!(text_parts(text), [TextPart::Text(text)]);
        }
        assert_eq!(text_parts(""), []);
    }

    #[test]
    fn addresses_of_three_schemes_are_links() {
        for address in [
            "https://example.com",
            "http://example.com/a/b?c=d&e=f#g",
            "HTTPS://Example.COM/",
            "http://localhost:3000/rooms/general",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/x",
            "https://medium.com/@somebody/post",
            "https://example.com/?next=https://other.example",
            "https://münchen.example/straße",
            "https://例え.テスト/パス",
            "https://xn--mnchen-3ya.example",
            "mailto:ada@example.com",
            "mailto:ada+chat@example.com?subject=hello",
        ] {
            assert_eq!(text_parts(address), [TextPart::Link(address)], "{address}");
        }
    }

    #[test]
    fn no_other_scheme_is_a_link() {
        for text in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "ftp://example.com",
            "blob:https",
            "//example.com",
            "www.example.com",
            "ada@example.com",
            "xhttps://example.com",
            "svn+http://example.com",
            "http:example.com",
            "https:/example.com",
            "https://",
            "https://.",
            "mailto:",
            "mailto:ada",
            "mailto:@example.com",
        ] {
            assert_eq!(text_parts(text), [TextPart::Text(text)], "{text}");
        }
    }

    #[test]
    fn an_address_that_could_mislead_is_plain_text() {
        for text in [
            "https://google.com@evil.example",
            "https://google.com@evil.example/path",
            "https://user:secret@example.com",
            "https://google.com:443@evil.example",
            "https://google.com@https://evil.example",
            "https://google.com\\@evil.example",
            "https://google.com%40evil.example",
            "https://google.com\u{ff20}evil.example",
            "https://google.com\u{2215}evil.example",
            "https://google.com\u{2044}evil.example",
            "https://google.com\u{ff0f}evil.example",
            "https://example.com/\u{202e}gpj.exe",
            "https://exam\u{200b}ple.com",
            "https://exam\u{ad}ple.com/",
            "https://example.com:port/",
            "https://example.com:/",
            "https://-example.com",
            "https://[evil]/",
            "mailto:ada@evil.example@example.com",
            "mailto:javascript:x@example.com",
        ] {
            assert_eq!(text_parts(text), [TextPart::Text(text)], "{text}");
        }
    }

    #[test]
    fn punctuation_that_ends_a_sentence_does_not_belong_to_an_address() {
        for (text, address) in [
            ("See https://a.example.", "https://a.example"),
            ("https://a.example/x, and more", "https://a.example/x"),
            ("Really https://a.example/x?!", "https://a.example/x"),
            ("'https://a.example'", "https://a.example"),
            ("\"https://a.example/b\"", "https://a.example/b"),
            ("“https://a.example/b”", "https://a.example/b"),
            ("**https://a.example**", "https://a.example"),
            ("看https://a.example/b。好", "https://a.example/b"),
            ("https://a.example/b…", "https://a.example/b"),
            ("https://a.example/b/", "https://a.example/b/"),
            ("https://a.example/x-", "https://a.example/x-"),
            ("mailto:ada@example.com.", "mailto:ada@example.com"),
        ] {
            assert_eq!(links(text), [address], "{text}");
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn closing_brackets_belong_to_an_address_that_opens_them() {
        for (text, address) in [
            ("(https://a.example)", "https://a.example"),
            ("(see https://a.example/b.)", "https://a.example/b"),
            ("https://a.example/Rust_(language)", "https://a.example/Rust_(language)"),
            ("(https://a.example/Rust_(language))", "https://a.example/Rust_(language)"),
            ("[https://a.example/]", "https://a.example/"),
            ("[name](https://a.example/b)", "https://a.example/b"),
            ("{https://a.example/b}", "https://a.example/b"),
            ("<https://a.example/b>", "https://a.example/b"),
            ("https://a.example/?a[0]=1", "https://a.example/?a[0]=1"),
        ] {
            assert_eq!(links(text), [address], "{text}");
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn several_addresses_stand_between_text() {
        let text = "a https://b.example, http://c.example\nd";
        let b = TextPart::Link("https://b.example");
        let c = TextPart::Link("http://c.example");
        assert_eq!(
            text_parts(text),
            [TextPart::Text("a "), b, TextPart::Text(", "), c, TextPart::Text("\nd")]
        );
    }

    #[test]
    fn a_very_long_address_is_one_link() {
        let address = format!("https://a.example/{}", "x".repeat(4_000));
        assert_eq!(text_parts(&address), [TextPart::Link(&address)]);
    }

    #[test]
    fn code_within_a_line_is_between_equally_many_backticks() {
        assert_eq!(
            text_parts("run `ls -l` now"),
            [TextPart::Text("run "), TextPart::Code("ls -l"), TextPart::Text(" now")]
        );
        assert_eq!(text_parts("``a`b``"), [TextPart::Code("a`b")]);
        assert_eq!(
            text_parts("see ```x``` there"),
            [TextPart::Text("see "), TextPart::Code("x"), TextPart::Text(" there")]
        );
        assert_eq!(text_parts("`a``b`"), [TextPart::Code("a``b")]);
    }

    #[test]
    fn unclosed_backticks_are_text() {
        for text in ["`", "``", "a ` b", "`a\nb`", "``a`", "` `", "```", "```\n```", "```a\nb", "it's ``` so"]
        {
            assert_eq!(text_parts(text), [TextPart::Text(text)], "{text}");
        }
    }

    #[test]
    fn a_block_has_lines_of_its_own() {
        let block = |language, code| TextPart::Block { language, code };
        assert_eq!(text_parts("```\na\n  b\n```"), [block("", "a\n  b")]);
        assert_eq!(text_parts("```rust\nfn main() {}\n```"), [block("rust", "fn main() {}")]);
        assert_eq!(
            text_parts("see\n```\na\n```\nthere"),
            [TextPart::Text("see"), block("", "a"), TextPart::Text("there")]
        );
        assert_eq!(text_parts("```a```"), [block("", "a")]);
        assert_eq!(text_parts("```SELECT\n* FROM t```"), [block("", "SELECT\n* FROM t")]);
        assert_eq!(text_parts("```not a language\nb\n```"), [block("", "not a language\nb")]);
        assert_eq!(text_parts("```rust\n```"), [block("", "rust")]);
        assert_eq!(text_parts("```\na ``` b\n```"), [block("", "a ``` b")]);
        assert_eq!(text_parts("```\na\n```\n```\nb\n```"), [block("", "a"), block("", "b")]);
        assert_eq!(text_parts("```\n\na\n\n```"), [block("", "\na\n")]);
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(text_parts("`https://a.example`"), [TextPart::Code("https://a.example")]);
        assert_eq!(links("```\nhttps://a.example\n```"), [""; 0]);
        assert_eq!(links("https://a.example/`b`"), ["https://a.example/"]);
    }

    #[test]
    fn only_backticks_and_space_around_blocks_are_removed_from_a_message() {
        let bare = |text: &str| text.replace(['`', '\n', ' '], "");
        for text in [
            "a `b` ``c`d`` ```e``` https://f.example/(g). <h>",
            "```i\nj\n```\nk\n```\nl",
            "`\u{202e}` https://m.example@n.example ```",
            "``` a\n\n``` b ``` \n c",
            "mmmm hhhh http https http:// mailto: ``` `` ` \n\n",
        ] {
            assert_eq!(bare(&shown(text)), bare(text), "{text}");
        }
    }
}
