//! Which characters can be seen, and which only change the ones around them: for names and texts that people type.

/// Ranges of characters, both ends included.
type Ranges = &'static [(char, char)];

/// Characters that show nothing, or that change the direction, the spelling or the line of what is around them:
/// mostly Unicode's `Default_Ignorable_Code_Point`, and the blank Braille pattern.
const INVISIBLE: Ranges = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Combining marks, which are drawn onto the character before them: the general blocks, and the scripts whose marks
/// can be piled up.
const MARKS: Ranges = &[
    ('\u{300}', '\u{34e}'),
    ('\u{350}', '\u{36f}'),
    ('\u{483}', '\u{489}'),
    ('\u{591}', '\u{5bd}'),
    ('\u{5bf}', '\u{5bf}'),
    ('\u{5c1}', '\u{5c2}'),
    ('\u{5c4}', '\u{5c5}'),
    ('\u{5c7}', '\u{5c7}'),
    ('\u{610}', '\u{61a}'),
    ('\u{64b}', '\u{65f}'),
    ('\u{670}', '\u{670}'),
    ('\u{6d6}', '\u{6dc}'),
    ('\u{6df}', '\u{6e4}'),
    ('\u{6e7}', '\u{6e8}'),
    ('\u{6ea}', '\u{6ed}'),
    ('\u{900}', '\u{903}'),
    ('\u{93a}', '\u{93c}'),
    ('\u{93e}', '\u{94f}'),
    ('\u{e31}', '\u{e31}'),
    ('\u{e34}', '\u{e3a}'),
    ('\u{e47}', '\u{e4e}'),
    ('\u{1ab0}', '\u{1aff}'),
    ('\u{1dc0}', '\u{1dff}'),
    ('\u{20d0}', '\u{20ff}'),
    ('\u{302a}', '\u{302f}'),
    ('\u{3099}', '\u{309a}'),
    ('\u{fe20}', '\u{fe2f}'),
];

/// Pictures that an emoji can begin with; some of them need [`EMOJI_STYLE`], and joiners make new ones of several.
const PICTURES: Ranges = &[
    ('\u{a9}', '\u{a9}'),
    ('\u{ae}', '\u{ae}'),
    ('\u{203c}', '\u{203c}'),
    ('\u{2049}', '\u{2049}'),
    ('\u{2122}', '\u{2122}'),
    ('\u{2139}', '\u{2139}'),
    ('\u{2190}', '\u{27ff}'),
    ('\u{2900}', '\u{2bff}'),
    ('\u{3030}', '\u{3030}'),
    ('\u{303d}', '\u{303d}'),
    ('\u{3297}', '\u{3297}'),
    ('\u{3299}', '\u{3299}'),
    ('\u{1f000}', '\u{1faff}'),
];

/// Scripts that spell some words with a joiner or a non-joiner, such as Persian, Hindi and Sinhala.
const JOINING: Ranges = &[('\u{620}', '\u{6ff}'), ('\u{900}', '\u{dff}')];

/// Shows the picture before it in colour.
const EMOJI_STYLE: char = '\u{fe0f}';
/// The frame of a keycap, such as 1️⃣.
const KEYCAP: char = '\u{20e3}';
const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// Vietnamese piles up two marks, polytonic Greek three, pointed Hebrew with its accents four.
const MARKS_IN_A_ROW_MAX: usize = 4;

/// Whether at least one character of `text` is a letter, digit or symbol that can be seen by itself.
pub fn has_visible(text: &str) -> bool {
    text.chars().any(is_visible)
}

/// Whether `char` is a letter, digit or symbol that can be seen by itself.
pub fn is_visible(char: char) -> bool {
    !char.is_whitespace() && !char.is_control() && !is_in(INVISIBLE, char) && !is_in(MARKS, char)
}

/// Whether `text` has an invisible character where no emoji and no spelling needs it.
pub fn has_needless_invisible(text: &str) -> bool {
    let mut before = None;
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        if is_in(INVISIBLE, char) && !is_needed(char, before, rest.clone().next()) {
            return true;
        }
        before = Some(char);
    }
    false
}

fn is_needed(char: char, before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), after) = (before, after.unwrap_or('\0')) else { return false };
    match char {
        EMOJI_STYLE => is_in(PICTURES, before) || after == KEYCAP,
        JOINER if before == EMOJI_STYLE || is_in(PICTURES, before) => is_in(PICTURES, after),
        JOINER | NON_JOINER => is_in(JOINING, before) && is_in(JOINING, after),
        _ => false,
    }
}

/// Whether more combining marks follow each other than any script needs.
pub fn has_piled_marks(text: &str) -> bool {
    let mut in_a_row = 0;
    text.chars().any(|char| {
        in_a_row = if is_in(MARKS, char) { in_a_row + 1 } else { 0 };
        in_a_row > MARKS_IN_A_ROW_MAX
    })
}

fn is_in(ranges: Ranges, char: char) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&char))
}

/// The same rules as regular expressions, for the documents of the contract.
#[cfg(feature = "schema")]
pub mod pattern {
    use super::{
        EMOJI_STYLE, INVISIBLE, JOINER, JOINING, KEYCAP, MARKS, MARKS_IN_A_ROW_MAX, NON_JOINER, PICTURES,
        Ranges,
    };

    const WHITE_SPACE: &str = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
    const CONTROL: &str = r"\u0000-\u001f\u007f-\u009f";

    /// A text in which something is visible: see [`super::has_visible`].
    pub fn with_visible() -> String {
        format!("[^{}]", not_visible())
    }

    /// A text of at most `chars_max` characters between any white space: it begins with a visible one, and has no
    /// needless invisible ones and no piled marks.
    pub fn of_name(chars_max: usize) -> String {
        let (invisible, pictures, joining) = (class(INVISIBLE), class(PICTURES), class(JOINING));
        let [style, keycap, joiner, non_joiner] = [EMOJI_STYLE, KEYCAP, JOINER, NON_JOINER].map(escaped);
        let piled = format!(r"(?![\s\S]*[{}]{{{}}})", class(MARKS), MARKS_IN_A_ROW_MAX + 1);
        let any = format!("[^{CONTROL}{invisible}]");
        let colour = format!("(?<=[{pictures}]){style}|{style}(?={keycap})");
        let emoji = format!("(?<=[{pictures}{style}]){joiner}(?=[{pictures}])");
        let spelling = format!("(?<=[{joining}])[{joiner}{non_joiner}](?=[{joining}])");
        let first = with_visible();
        let more = chars_max - 1;
        format!(
            "^{piled}[{WHITE_SPACE}]*{first}(?:{any}|{colour}|{emoji}|{spelling}){{0,{more}}}[{WHITE_SPACE}]*$"
        )
    }

    fn not_visible() -> String {
        format!("{CONTROL}{WHITE_SPACE}{}{}", class(INVISIBLE), class(MARKS))
    }

    fn class(ranges: Ranges) -> String {
        ranges.iter().map(|(first, last)| format!("{}-{}", escaped(*first), escaped(*last))).collect()
    }

    /// A character as every dialect of regular expressions has it: none of the escapes past U+FFFF is common.
    fn escaped(char: char) -> String {
        if u32::from(char) <= 0xffff { format!(r"\u{:04x}", u32::from(char)) } else { char.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_see_is_not_visible() {
        for nothing in
            ["", " \n\t", "\u{7}", "\u{200b}", "\u{3164}", "\u{2800}", "\u{301}\u{489}", "\u{fe0f}"]
        {
            assert!(!has_visible(nothing), "{nothing:?}");
        }
        for something in ["a", "7", "…", "字", "🦀", "e\u{301}", "\u{200b}a"] {
            assert!(has_visible(something), "{something:?}");
        }
    }

    #[test]
    fn emoji_and_spelling_keep_the_invisible_characters_that_they_need() {
        let pictures =
            ["👩\u{200d}💻", "🏳\u{fe0f}\u{200d}🌈", "🧔🏽\u{200d}♂\u{fe0f}", "1\u{fe0f}\u{20e3}", "☺\u{fe0f}"];
        let words = ["علی\u{200c}رضا", "ශ\u{dca}\u{200d}රී"];
        for needed in pictures.iter().chain(&words) {
            assert!(!has_needless_invisible(needed), "{needed:?}");
        }
        let needless = [
            "A\u{200b}da",
            "A\u{200d}da",
            "A\u{fe0f}da",
            "Eve\u{202e}",
            "🦀\u{200d}",
            "\u{200d}🦀",
            "a\u{2028}b",
        ];
        for needless in needless {
            assert!(has_needless_invisible(needless), "{needless:?}");
        }
    }

    #[test]
    fn as_many_marks_follow_each_other_as_a_script_needs() {
        // Hebrew shin with its dot, a dagesh, a vowel and an accent.
        assert!(!has_piled_marks("\u{5e9}\u{5c1}\u{5bc}\u{5b8}\u{591}"));
        assert!(!has_piled_marks(&"e\u{302}\u{301}".repeat(20)));
        assert!(has_piled_marks(&format!("e{}", "\u{301}".repeat(5))));
    }

    #[test]
    fn no_mark_and_no_picture_is_invisible() {
        let is_apart = |(first, last): &(char, char), others: Ranges| {
            others.iter().all(|(from, to)| last < from || to < first)
        };
        for range in [MARKS, PICTURES].concat() {
            assert!(is_apart(&range, INVISIBLE), "{range:?}");
        }
    }
}
