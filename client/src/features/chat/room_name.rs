//! What a room may be called, and what becomes of a name as people type it.

use shared::Malformed;
use shared::features::chat::room_topic;

const NAME_CHARS_MAX: usize = 63;

/// "Weekend plans!" becomes `weekend-plans`. What is left of the grammar's own rule is told in the error.
pub(super) fn room_name(typed: &str) -> Result<String, Malformed> {
    let mut name = String::new();
    for letter in typed.trim().to_ascii_lowercase().chars() {
        let is_gap = letter.is_whitespace() || letter == '-';
        match letter {
            'a'..='z' | '0'..='9' | '_' => name.push(letter),
            _ if is_gap && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    let name: String = name.trim_start_matches(['-', '_']).chars().take(NAME_CHARS_MAX).collect();
    let name = name.trim_end_matches('-').to_owned();
    room_topic(&name).map(|_| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_name_becomes_one_that_fits_an_address() {
        for (typed, name) in [
            ("general", "general"),
            ("  Weekend plans! ", "weekend-plans"),
            ("a -- b", "a-b"),
            ("_x_1", "x_1"),
            ("Café 24/7", "caf-247"),
        ] {
            assert_eq!(room_name(typed).unwrap(), name);
        }
        assert_eq!(room_name(&"x".repeat(80)).unwrap().len(), 63);
    }

    #[test]
    fn what_has_no_letter_of_the_alphabet_is_refused_with_the_rule() {
        for typed in ["", "   ", "!!!", "---", "日本"] {
            assert!(room_name(typed).unwrap_err().to_string().contains("a-z"));
        }
    }
}
