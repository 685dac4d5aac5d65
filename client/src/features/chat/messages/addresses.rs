//! Addresses in the text of a message that become links: `http`, `https` and `mailto`, unless they could mislead.

const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// Scans an address at the start of `rest`, without the punctuation behind it.
///
/// Returns the number of bytes to continue after, and the address if it is fit to be a link.
pub(super) fn scan_address(rest: &str) -> (usize, Option<&str>) {
    let begins_with =
        |scheme: &&&str| rest.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    let Some(scheme) = SCHEMES.iter().find(begins_with) else { return (1, None) };
    let word = &rest[..rest.find(ends_address).unwrap_or(rest.len())];
    let address = without_punctuation(word);
    let is_fit = address.get(scheme.len()..).is_some_and(|tail| match *scheme {
        "mailto:" => is_mailbox(tail),
        _ => is_host(&tail[..tail.find(['/', '?', '#']).unwrap_or(tail.len())]),
    });
    // An unfit address is skipped as a whole: a link from within it would mislead as well.
    match is_fit && !word.contains(is_invisible) {
        true => (address.len(), Some(address)),
        false => (word.len(), None),
    }
}

/// True if an address may begin after `before`, that is not in the middle of a word.
pub(super) fn may_follow(before: &str) -> bool {
    !before.ends_with(|letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '+'))
}

fn ends_address(letter: char) -> bool {
    let ends = "<>\"`«»‘’“”…、。〈〉《》「」『』【】！（），：；？";
    letter.is_whitespace() || letter.is_control() || ends.contains(letter)
}

/// True for characters that are invisible or change the direction of the text.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}'
        | '\u{e0000}'..)
}

/// Removes the punctuation that ends a sentence, and closing brackets that the word does not open.
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

/// True for a host with or without a port, and nothing that a browser would interpret differently.
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

/// True for letters and digits of any script, but not for characters that look like a slash, a dot or a space.
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
