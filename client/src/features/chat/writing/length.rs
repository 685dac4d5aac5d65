//! `Length`: the length of a message against its limits. Plain data.
//!
//! A message has two limits: one in characters, and one in the bytes of payload that the node accepts. Users see one
//! number of characters that respects both.

use shared::Malformed;
use shared::features::chat::{ChatEvent, MessageText, TEXT_CHARS_MAX};

/// The length of a typed text, measured as it would be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// There is nothing to send.
    Empty,
    /// It can be sent, and this many plain characters may be added.
    Fits(usize),
    /// It is too long, and fits once this many characters are removed from its end.
    Over(usize),
}

impl Length {
    /// Measures `text` for a node that accepts payloads of `payload_bytes_max` bytes.
    pub(super) fn of(text: &str, payload_bytes_max: usize) -> Length {
        fit(text, payload_bytes_max).unwrap_or_else(|| {
            let kept = longest_that_fits(text, payload_bytes_max);
            Length::Over(text.trim_end()[kept..].chars().count())
        })
    }

    /// True if the text can be sent.
    pub(super) fn fits(self) -> bool {
        matches!(self, Length::Fits(_))
    }
}

/// Checks a text against both limits. `None` if it is too long.
fn fit(text: &str, payload_bytes_max: usize) -> Option<Length> {
    let text = match MessageText::parse(text) {
        Ok(text) => text,
        Err(rule) if rule == too_long() => return None,
        Err(_) => return Some(Length::Empty),
    };
    let chars_left = TEXT_CHARS_MAX.checked_sub(text.as_str().chars().count())?;
    let bytes_left = payload_bytes_max.checked_sub(ChatEvent::payload_bytes(text.as_str()))?;
    Some(Length::Fits(chars_left.min(bytes_left)))
}

/// The rule that a text with too many characters breaks. A text that breaks another rule has nothing to send.
fn too_long() -> Malformed {
    let text = MessageText::parse(&"x".repeat(TEXT_CHARS_MAX + 1));
    text.expect_err("it has a character more than a message may have")
}

/// The length in bytes of the longest prefix of `text` that fits; `text` as a whole does not.
///
/// It examines little more than that prefix, since a whole book may have been pasted.
fn longest_that_fits(text: &str, payload_bytes_max: usize) -> usize {
    let fits = |end: usize| fit(&text[..end], payload_bytes_max).is_some();
    let mut kept = 0;
    let mut over = text.floor_char_boundary(TEXT_CHARS_MAX);
    while over < text.len() && fits(over) {
        kept = over;
        over = text.floor_char_boundary(over * 2);
    }
    // The first `kept` bytes fit, and the first `over` do not.
    loop {
        let middle = text.floor_char_boundary(kept.midpoint(over));
        let middle = if middle == kept { text.ceil_char_boundary(kept + 1) } else { middle };
        if middle >= over {
            return kept;
        }
        if fits(middle) { kept = middle } else { over = middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLENTY: usize = 1 << 20;

    /// Counts the characters to remove by removing one after the other until the rest fits.
    fn count_slowly(text: &str, payload_bytes_max: usize) -> usize {
        let mut rest = text.trim_end().to_owned();
        let all = rest.chars().count();
        while fit(&rest, payload_bytes_max).is_none() {
            rest.pop();
        }
        all - rest.chars().count()
    }

    #[test]
    fn an_empty_text_cannot_be_sent_and_is_not_too_long() {
        for text in ["", "  \n ", &" ".repeat(5_000)] {
            assert_eq!(Length::of(text, PLENTY), Length::Empty);
        }
    }

    #[test]
    fn surrounding_white_space_does_not_count() {
        assert_eq!(Length::of(&format!("  {}  ", "x".repeat(1_990)), PLENTY), Length::Fits(10));
    }

    #[test]
    fn characters_are_counted_rather_than_bytes_while_the_payload_is_small_enough() {
        assert_eq!(Length::of(&"é".repeat(2_000), PLENTY), Length::Fits(0));
        assert_eq!(Length::of(&"🦦".repeat(2_003), PLENTY), Length::Over(3));
    }

    #[test]
    fn the_payload_limit_counts_too() {
        let bytes = ChatEvent::payload_bytes;
        let text = "\"".repeat(100);
        assert_eq!(Length::of(&text, bytes(&text) + 7), Length::Fits(7));
        assert_eq!(Length::of(&text, bytes(&text)), Length::Fits(0));
        assert_eq!(Length::of(&text, bytes(&text) - 1), Length::Over(1));
        assert_eq!(Length::of(&text, bytes(&text) - 3), Length::Over(2));
    }

    #[test]
    fn the_number_of_characters_to_remove_is_exact() {
        let mixed = "a\u{1}é\n🦦\"日 ".repeat(260);
        let gap = format!("{}{}y", "x".repeat(1_999), " ".repeat(50));
        for text in [mixed.as_str(), gap.as_str(), &"x".repeat(2_001), &format!("{gap}\t \nz")] {
            for payload_bytes_max in [1_900, 8_192] {
                let Length::Over(cut) = Length::of(text, payload_bytes_max) else { continue };
                assert_eq!(cut, count_slowly(text, payload_bytes_max), "{payload_bytes_max} bytes");
            }
        }
    }

    #[test]
    fn a_very_long_text_is_measured() {
        assert_eq!(Length::of(&"x".repeat(PLENTY), 8_192), Length::Over(PLENTY - 2_000));
    }
}
