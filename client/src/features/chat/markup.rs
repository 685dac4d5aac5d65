//! The text of a message in parts: plain text, addresses that become links, and code. No other markup.
//!
//! Nothing is taken from the text but the backticks around code, so whoever copies a message has all of it. An
//! address that could mislead, as one with a user name before its host (`https://bank.example@evil.example`), stays
//! plain text.

/// One part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// As it is.
    Text(&'a str),
    /// An address of http, https or mailto, shown as it is.
    Link(&'a str),
    /// Code within a line: what stood between backticks.
    Code(&'a str),
    /// Lines of code: what stood between lines of three backticks, the first of which may name the language.
    Block { language: &'a str, code: &'a str },
}

const FENCE: &str = "```";
const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// Reads a message. No two parts of plain text follow each other.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut plain_from, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let (len, part) = scan(text, at);
        if let Some(part) = part {
            // The line break before a block is the block's own.
            let is_block = matches!(part, Part::Block { .. });
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

fn push_text<'a>(parts: &mut Vec<Part<'a>>, text: &'a str) {
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
}

/// Looks at what begins at `at`: so many bytes belong together, as that part, or as plain text.
fn scan(text: &str, at: usize) -> (usize, Option<Part<'_>>) {
    let (before, rest) = text.split_at(at);
    match rest.chars().next() {
        Some('`') => {
            let is_at_line_start = before.is_empty() || before.ends_with('\n');
            let block = is_at_line_start.then(|| block(rest)).flatten();
            block.unwrap_or_else(|| span(rest))
        }
        Some('h' | 'H' | 'm' | 'M') if !before.ends_with(is_word) => link(rest),
        Some(other) => (other.len_utf8(), None),
        None => (0, None),
    }
}

/// A block begins a line and ends one.
fn block(rest: &str) -> Option<(usize, Option<Part<'_>>)> {
    let body = rest.strip_prefix(FENCE).filter(|body| !body.starts_with('`'))?;
    let ends = body.match_indices(FENCE).map(|(place, _)| place);
    let (inner, after) = ends
        .map(|place| (&body[..place], body[place + FENCE.len()..].trim_start_matches([' ', '\t'])))
        .find(|(inner, after)| !inner.trim().is_empty() && (after.is_empty() || after.starts_with('\n')))?;
    let (language, code) = match inner.split_once('\n') {
        Some((first, lines)) if first.trim().is_empty() => ("", lines),
        Some((first, lines)) if names_language(first, lines) => (first.trim(), lines),
        _ => ("", inner),
    };
    let code = code.strip_suffix('\n').unwrap_or(code);
    let after = after.strip_prefix('\n').unwrap_or(after);
    Some((rest.len() - after.len(), Some(Part::Block { language, code })))
}

/// A single word behind the backticks, with lines of code below it and the end on a line of its own.
fn names_language(first: &str, lines: &str) -> bool {
    first.split_whitespace().count() == 1 && lines.ends_with('\n') && !lines.trim().is_empty()
}

/// A span ends on its line, with as many backticks as it began with.
fn span(rest: &str) -> (usize, Option<Part<'_>>) {
    let body = rest.trim_start_matches('`');
    let ticks = rest.len() - body.len();
    let line = body.split('\n').next().unwrap_or_default();
    let mut at = 0;
    while let Some(place) = line[at..].find('`') {
        let (end, after) = (at + place, line[at + place..].trim_start_matches('`'));
        at = line.len() - after.len();
        if at - end == ticks && !line[..end].trim().is_empty() {
            return (ticks + at, Some(Part::Code(&line[..end])));
        }
    }
    (ticks, None)
}

/// An address, to the last character that can be meant as a part of it.
fn link(rest: &str) -> (usize, Option<Part<'_>>) {
    let has =
        |scheme: &&&str| rest.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    let Some(scheme) = SCHEMES.iter().find(has) else { return (1, None) };
    let word = &rest[..rest.find(ends_address).unwrap_or(rest.len())];
    let address = without_punctuation(word);
    let is_fit = address.get(scheme.len()..).is_some_and(|tail| match *scheme {
        "mailto:" => is_mailbox(tail),
        _ => is_host(&tail[..tail.find(['/', '?', '#']).unwrap_or(tail.len())]),
    });
    // One that is not fit is passed by as a whole: a link to its second half would mislead as well.
    match is_fit && !word.contains(is_unseen) {
        true => (address.len(), Some(Part::Link(address))),
        false => (word.len(), None),
    }
}

/// Letters that a scheme does not begin behind.
fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '+')
}

fn ends_address(letter: char) -> bool {
    let ends = "<>\"`«»‘’“”…、。〈〉《》「」『』【】！（），：；？";
    letter.is_whitespace() || letter.is_control() || ends.contains(letter)
}

/// Characters that show nothing, or turn the direction of what follows.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}'
        | '\u{e0000}'..)
}

/// The word without what ends a sentence, and without brackets that it only closes.
fn without_punctuation(mut word: &str) -> &str {
    let count = |letter| word.matches(letter).count();
    let mut left_over = BRACKETS.map(|(open, close)| count(close).saturating_sub(count(open)));
    while let Some(last) = word.chars().next_back() {
        match BRACKETS.iter().position(|(_, close)| *close == last) {
            Some(kind) if left_over[kind] > 0 => left_over[kind] -= 1,
            None if ".,;:!?'*_~".contains(last) => {}
            _ => break,
        }
        word = &word[..word.len() - last.len_utf8()];
    }
    word
}

/// A host with or without a port, and nothing that a browser would take for something else.
fn is_host(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, "0"),
    };
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|digit| digit.is_ascii_digit());
    let is_v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).is_some_and(|address| {
        !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
    });
    let begins = host.starts_with(|letter: char| letter != '-' && letter != '.' && is_of_host(letter));
    is_port && (is_v6 || (begins && host.chars().all(is_of_host)))
}

/// Letters and digits of any script, without the signs that look like a slash, a dot or a space.
fn is_of_host(letter: char) -> bool {
    match letter {
        '-' | '.' | '_' => true,
        '\0'..='\u{7f}' => letter.is_ascii_alphanumeric(),
        '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{2fff}' | '\u{3000}'..='\u{303f}' => false,
        '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{ffff}' => false,
        _ => true,
    }
}

fn is_mailbox(tail: &str) -> bool {
    let mailbox = &tail[..tail.find('?').unwrap_or(tail.len())];
    let is_local = |letter: char| !matches!(letter, '/' | '\\' | '@' | ':' | '%');
    mailbox.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && local.chars().all(is_local) && !host.contains([':', '[']) && is_host(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        let links = parts(text).into_iter().filter_map(|part| match part {
            Part::Link(address) => Some(address),
            _ => None,
        });
        links.collect()
    }

    /// The rows that are shown, in order.
    fn shown(text: &str) -> String {
        let shown = parts(text).into_iter().map(|part| match part {
            Part::Text(text) | Part::Link(text) | Part::Code(text) => text.to_owned(),
            Part::Block { language, code } => format!("\n{language}\n{code}\n"),
        });
        shown.collect()
    }

    #[test]
    fn plain_text_is_one_part() {
        for text in
            ["hello", "a * b _ c **d** # e > f [g](h)", "<b>no</b> &amp;", "höhe m h", "two\nlines", "🦀"]
        {
            assert_eq!(parts(text), [Part::Text(text)]);
        }
        assert_eq!(parts(""), []);
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
            assert_eq!(parts(address), [Part::Link(address)], "{address}");
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
            assert_eq!(parts(text), [Part::Text(text)], "{text}");
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
            assert_eq!(parts(text), [Part::Text(text)], "{text}");
        }
    }

    #[test]
    fn what_ends_a_sentence_does_not_belong_to_an_address() {
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
    fn brackets_belong_to_an_address_when_it_opens_them() {
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
        let (b, c) = (Part::Link("https://b.example"), Part::Link("http://c.example"));
        assert_eq!(parts(text), [Part::Text("a "), b, Part::Text(", "), c, Part::Text("\nd")]);
    }

    #[test]
    fn a_very_long_address_is_one_link() {
        let address = format!("https://a.example/{}", "x".repeat(4_000));
        assert_eq!(parts(&address), [Part::Link(&address)]);
    }

    #[test]
    fn code_within_a_line_is_between_as_many_backticks() {
        assert_eq!(parts("run `ls -l` now"), [Part::Text("run "), Part::Code("ls -l"), Part::Text(" now")]);
        assert_eq!(parts("``a`b``"), [Part::Code("a`b")]);
        assert_eq!(parts("see ```x``` there"), [Part::Text("see "), Part::Code("x"), Part::Text(" there")]);
        assert_eq!(parts("`a``b`"), [Part::Code("a``b")]);
    }

    #[test]
    fn backticks_without_an_end_are_text() {
        for text in ["`", "``", "a ` b", "`a\nb`", "``a`", "` `", "```", "```\n```", "```a\nb", "it's ``` so"]
        {
            assert_eq!(parts(text), [Part::Text(text)], "{text}");
        }
    }

    #[test]
    fn a_block_has_lines_of_its_own() {
        let block = |language, code| Part::Block { language, code };
        assert_eq!(parts("```\na\n  b\n```"), [block("", "a\n  b")]);
        assert_eq!(parts("```rust\nfn main() {}\n```"), [block("rust", "fn main() {}")]);
        assert_eq!(
            parts("see\n```\na\n```\nthere"),
            [Part::Text("see"), block("", "a"), Part::Text("there")]
        );
        assert_eq!(parts("```a```"), [block("", "a")]);
        assert_eq!(parts("```SELECT\n* FROM t```"), [block("", "SELECT\n* FROM t")]);
        assert_eq!(parts("```not a language\nb\n```"), [block("", "not a language\nb")]);
        assert_eq!(parts("```rust\n```"), [block("", "rust")]);
        assert_eq!(parts("```\na ``` b\n```"), [block("", "a ``` b")]);
        assert_eq!(parts("```\na\n```\n```\nb\n```"), [block("", "a"), block("", "b")]);
        assert_eq!(parts("```\n\na\n\n```"), [block("", "\na\n")]);
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(parts("`https://a.example`"), [Part::Code("https://a.example")]);
        assert_eq!(links("```\nhttps://a.example\n```"), [""; 0]);
        assert_eq!(links("https://a.example/`b`"), ["https://a.example/"]);
    }

    #[test]
    fn nothing_of_a_message_is_lost_but_backticks_and_space_around_blocks() {
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
