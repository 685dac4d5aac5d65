//! `Length`: how much more fits into a message, or how much of it is too much. Plain data.
//!
//! A message has two limits, one in characters and one in the bytes that a node takes. A person is told one figure,
//! in characters, that keeps both.

use shared::Malformed;
use shared::features::chat::{ChatEvent, MessageText, TEXT_CHARS_MAX};

/// A text as somebody types it, measured as it would be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// Nothing to send.
    Empty,
    /// It can be sent; so many plain characters may be added.
    Fits(usize),
    /// It fits once so many characters are cut from its end, and not with fewer.
    Over(usize),
}

impl Length {
    /// Measures `text` for a node that takes payloads of `payload_bytes_max`.
    pub(super) fn of(text: &str, payload_bytes_max: usize) -> Length {
        match fit(text, payload_bytes_max) {
            Fit::Empty => Length::Empty,
            Fit::Left(left) => Length::Fits(left),
            Fit::TooLong => {
                let kept = longest_that_fits(text, payload_bytes_max);
                Length::Over(text.trim_end()[kept..].chars().count())
            }
        }
    }

    /// True if it can be sent.
    pub(super) fn fits(self) -> bool {
        matches!(self, Length::Fits(_))
    }
}

/// The room for a message as `text` uses it.
#[derive(PartialEq)]
enum Fit {
    Empty,
    Left(usize),
    TooLong,
}

fn fit(text: &str, payload_bytes_max: usize) -> Fit {
    let text = match MessageText::parse(text) {
        Ok(text) => text,
        Err(rule) if rule == too_long() => return Fit::TooLong,
        Err(_) => return Fit::Empty,
    };
    let chars_left = TEXT_CHARS_MAX.checked_sub(text.as_str().chars().count());
    let bytes_left = payload_bytes_max.checked_sub(ChatEvent::payload_bytes(text.as_str()));
    chars_left.zip(bytes_left).map_or(Fit::TooLong, |(chars, bytes)| Fit::Left(chars.min(bytes)))
}

/// The rule that a message breaks which has too many characters. There is nothing to send where another one is broken.
fn too_long() -> Malformed {
    let text = MessageText::parse(&"x".repeat(TEXT_CHARS_MAX + 1));
    text.expect_err("it has a character more than a message may have")
}

/// The number of bytes of `text` from its beginning that fit; all of it does not. Looks at little more than what
/// fits, since a whole book may have been pasted.
fn longest_that_fits(text: &str, payload_bytes_max: usize) -> usize {
    let fits = |end: usize| fit(&text[..end], payload_bytes_max) != Fit::TooLong;
    let (mut kept, mut over) = (0, text.floor_char_boundary(TEXT_CHARS_MAX));
    while over < text.len() && fits(over) {
        (kept, over) = (over, text.floor_char_boundary(over * 2));
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

    /// Cuts one character after the other until the rest fits.
    fn cut_slowly(text: &str, payload_bytes_max: usize) -> usize {
        let mut rest = text.trim_end().to_owned();
        let all = rest.chars().count();
        while fit(&rest, payload_bytes_max) == Fit::TooLong {
            rest.pop();
        }
        all - rest.chars().count()
    }

    #[test]
    fn an_empty_text_is_neither_sent_nor_too_long() {
        for text in ["", "  \n ", &" ".repeat(5_000)] {
            assert_eq!(Length::of(text, PLENTY), Length::Empty);
        }
    }

    #[test]
    fn white_space_around_it_does_not_count() {
        assert_eq!(Length::of(&format!("  {}  ", "x".repeat(1_990)), PLENTY), Length::Fits(10));
    }

    #[test]
    fn characters_are_counted_and_not_bytes_while_the_node_takes_all() {
        assert_eq!(Length::of(&"é".repeat(2_000), PLENTY), Length::Fits(0));
        assert_eq!(Length::of(&"🦦".repeat(2_003), PLENTY), Length::Over(3));
    }

    #[test]
    fn a_payload_that_is_full_leaves_no_room() {
        let bytes = ChatEvent::payload_bytes;
        let text = "\"".repeat(100);
        assert_eq!(Length::of(&text, bytes(&text) + 7), Length::Fits(7));
        assert_eq!(Length::of(&text, bytes(&text)), Length::Fits(0));
        assert_eq!(Length::of(&text, bytes(&text) - 1), Length::Over(1));
        assert_eq!(Length::of(&text, bytes(&text) - 3), Length::Over(2));
    }

    #[test]
    fn the_number_to_cut_is_enough_and_one_fewer_is_not() {
        let mixed = "a\u{1}é\n🦦\"日 ".repeat(260);
        let gap = format!("{}{}y", "x".repeat(1_999), " ".repeat(50));
        for text in [mixed.as_str(), gap.as_str(), &"x".repeat(2_001), &format!("{gap}\t \nz")] {
            for payload_bytes_max in [1_900, 8_192] {
                let Length::Over(cut) = Length::of(text, payload_bytes_max) else { continue };
                assert_eq!(cut, cut_slowly(text, payload_bytes_max), "{payload_bytes_max} bytes");
            }
        }
    }

    #[test]
    fn a_whole_book_is_measured_too() {
        assert_eq!(Length::of(&"x".repeat(PLENTY), 8_192), Length::Over(PLENTY - 2_000));
    }
}
