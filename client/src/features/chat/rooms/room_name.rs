//! Names of rooms: the rule that users see, and the valid name nearest to a typed text.

use shared::Malformed;
use shared::features::chat::room_topic;

const NAME_CHARS_MAX: usize = 63;

/// The grammar of a room's name, as users see it.
pub const ROOM_NAME_RULE: &str = "Use a–z, 0–9, - or _ (up to 63), starting with a letter or digit.";

/// The letters from U+00C0 to U+017F without their accents. A dot marks those that become two letters, a space those
/// that are no letters.
const LATIN: &str = "aaaaaa.ceeeeiiiidnooooo ouuuuy..aaaaaa.ceeeeiiiidnooooo ouuuuy.y\
                     aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkkllllllllllnnnnnnnnnoooooo..\
                     rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
const LATIN_FIRST: char = '\u{c0}';
const LATIN_LAST: char = '\u{17f}';

/// Turns a typed text into a valid name: "Straße & Café!" becomes `strasse-cafe`. Fails if nothing is left that a name
/// may begin with.
pub fn room_name(typed: &str) -> Result<String, Malformed> {
    let mut name = String::new();
    for letter in typed.trim().chars() {
        match letter.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9' | '_') => name.push(plain),
            gap if gap.is_whitespace() || gap == '-' => end_word(&mut name),
            other => match in_latin(other) {
                " " => end_word(&mut name),
                letters => name.push_str(letters),
            },
        }
    }
    let name: String = name.trim_start_matches(['-', '_']).chars().take(NAME_CHARS_MAX).collect();
    let name = name.trim_end_matches('-').to_owned();
    room_topic(&name).map(|_| name)
}

fn end_word(name: &mut String) {
    if !name.ends_with('-') {
        name.push('-');
    }
}

/// The letters a to z for an accented or joined letter; empty for anything else.
fn in_latin(letter: char) -> &'static str {
    match letter {
        'Æ' | 'æ' => "ae",
        'Œ' | 'œ' => "oe",
        'ß' | 'ẞ' => "ss",
        'Þ' | 'þ' => "th",
        'Ĳ' | 'ĳ' => "ij",
        LATIN_FIRST..=LATIN_LAST => {
            let index = letter as usize - LATIN_FIRST as usize;
            &LATIN[index..=index]
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_text_becomes_a_valid_name() {
        for (typed, name) in [
            ("general", "general"),
            ("  Weekend plans! ", "weekend-plans"),
            ("a -- b", "a-b"),
            ("_x_1", "x_1"),
            ("Café 24/7", "cafe-247"),
        ] {
            assert_eq!(room_name(typed).unwrap(), name);
        }
        assert_eq!(room_name(&"x".repeat(80)).unwrap().len(), 63);
    }

    #[test]
    fn accented_and_joined_letters_become_plain_ones() {
        for (typed, name) in [
            ("Straße & Café", "strasse-cafe"),
            ("STRAẞE", "strasse"),
            ("Ærø, Œuvre, Þór", "aero-oeuvre-thor"),
            ("Łódź", "lodz"),
            ("Đorđe", "dorde"),
            ("Žižkov Ÿ ſ", "zizkov-y-s"),
            ("3×4", "3-4"),
            ("Cafe\u{301}", "cafe"),
        ] {
            assert_eq!(room_name(typed).unwrap(), name);
        }
    }

    #[test]
    fn every_letter_of_the_table_becomes_plain_letters() {
        for letter in LATIN_FIRST..=LATIN_LAST {
            let letters = in_latin(letter);
            let is_sign = matches!(letter, '×' | '÷');
            assert_eq!(letters.bytes().all(|byte| byte.is_ascii_lowercase()), !is_sign, "{letter}");
        }
    }

    #[test]
    fn a_text_without_letters_and_digits_is_refused() {
        for typed in ["", "   ", "!!!", "---", "日本"] {
            assert!(room_name(typed).is_err());
        }
    }
}
