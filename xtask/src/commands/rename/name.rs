//! The project's name in all its forms, and its occurrences in a text.

/// Names reserved by cargo, Rust or an operating system: a binary of that name does not work, or not everywhere.
#[rustfmt::skip]
const RESERVED: [&str; 64] = [
    // Folders in cargo's target folder.
    "build", "deps", "examples", "incremental",
    // Crates that come with Rust.
    "alloc", "core", "proc-macro", "std", "test",
    // Rust's keywords.
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match",
    "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
    // Windows device names.
    "aux", "con", "nul", "prn",
];

/// Prefix of cargo's variable with the path of a binary. The binary's name follows in kebab case although the whole
/// looks like an identifier.
const BINARY_VARIABLE: &str = "CARGO_BIN_EXE_";

/// A name in all its forms.
pub(super) struct Name {
    /// `my-app`: binary, wire format, storage keys.
    pub(super) kebab: String,
    /// `my_app`: identifiers and names of metrics.
    snake: String,
    /// `myApp`: identifiers in JavaScript.
    camel: String,
    /// `MY_APP`: environment variables.
    screaming: String,
    /// `My App`: text for people.
    title: String,
    /// `MyApp`: type names.
    pascal: String,
}

#[derive(Clone, Copy)]
enum Form {
    Kebab,
    Snake,
    Camel,
    Screaming,
    Title,
    Pascal,
}

impl Name {
    /// Parses a package name. The error says why a name is not valid.
    pub(super) fn parse(kebab: &str) -> Result<Name, String> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if !kebab.starts_with(|first: char| first.is_ascii_lowercase()) || !kebab.split('-').all(is_word) {
            return Err(format!(
                "`{kebab}` is not a valid name: use a-z, 0-9 and single `-`, beginning with a letter"
            ));
        }
        if RESERVED.contains(&kebab) {
            return Err(format!("`{kebab}` is reserved by Rust, cargo or an operating system"));
        }
        Ok(Name::of(kebab))
    }

    fn of(kebab: &str) -> Name {
        let capitalise = |word: &str| word[..1].to_uppercase() + &word[1..];
        let words: Vec<String> = kebab.split('-').map(capitalise).collect();
        let snake = kebab.replace('-', "_");
        let pascal = words.concat();
        Name {
            kebab: kebab.into(),
            camel: pascal[..1].to_lowercase() + &pascal[1..],
            screaming: snake.to_uppercase(),
            title: words.join(" "),
            snake,
            pascal,
        }
    }

    fn form(&self, form: Form) -> &str {
        match form {
            Form::Kebab => &self.kebab,
            Form::Snake => &self.snake,
            Form::Camel => &self.camel,
            Form::Screaming => &self.screaming,
            Form::Title => &self.title,
            Form::Pascal => &self.pascal,
        }
    }

    /// Replaces this name with `new`, each form with the same form.
    pub(super) fn replace_in(&self, text: &str, new: &Name) -> String {
        self.replace_with(text, |form| new.form(form))
    }

    /// Number of the first line with this name, from 1. Occurrences inside the name `ignored` do not count.
    pub(super) fn first_line_in(&self, text: &str, ignored: &Name) -> Option<usize> {
        let text = ignored.replace_with(text, |_| "\0");
        let (at, _) = self.occurrences(&text).next()?;
        Some(text[..at].matches('\n').count() + 1)
    }

    /// Byte position of the first occurrence.
    pub(super) fn find_in(&self, line: &str) -> Option<usize> {
        self.occurrences(line).next().map(|(at, _)| at)
    }

    fn replace_with<'a>(&self, text: &str, new: impl Fn(Form) -> &'a str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for (start, form) in self.occurrences(text) {
            // A name such as `tick-tick` can overlap with itself.
            if start < end {
                continue;
            }
            replaced.push_str(&text[end..start]);
            replaced.push_str(new(form));
            end = start + self.form(form).len();
        }
        replaced + &text[end..]
    }

    fn occurrences(&self, text: &str) -> impl Iterator<Item = (usize, Form)> {
        let initial = self.kebab.as_bytes()[0];
        let begins = text.bytes().enumerate().filter(move |(_, byte)| byte.eq_ignore_ascii_case(&initial));
        begins.filter_map(|(start, _)| Some((start, self.form_at(text, start)?)))
    }

    /// Form of the name at that position, or None if it is not there or is part of another word.
    fn form_at(&self, text: &str, start: usize) -> Option<Form> {
        let (before, rest) = text.split_at(start);
        let forms = [Form::Title, Form::Pascal, Form::Kebab, Form::Snake, Form::Camel, Form::Screaming];
        let written = forms.into_iter().map(|form| self.form(form)).find(|form| rest.starts_with(form))?;
        let previous = before.chars().next_back();
        let next = rest[written.len()..].chars().next();
        let is_part = if written == self.title || written == self.pascal {
            previous.is_some_and(char::is_uppercase) || next.is_some_and(continues_word)
        } else if written == self.screaming {
            previous.is_some_and(char::is_alphanumeric) || next.is_some_and(char::is_alphanumeric)
        } else {
            previous.is_some_and(char::is_alphanumeric) || next.is_some_and(continues_word)
        };
        (!is_part && !is_other_word(before)).then(|| self.form_of(written, before, previous, next))
    }

    /// Chooses the form by the neighbouring characters: a name of one word looks the same in several forms.
    fn form_of(&self, written: &str, before: &str, previous: Option<char>, next: Option<char>) -> Form {
        let has_one_word = self.kebab == self.snake;
        let is_underscored = previous == Some('_') || next == Some('_');
        let is_capital_next = next.is_some_and(char::is_uppercase);
        if written == self.screaming {
            Form::Screaming
        } else if written == self.title || written == self.pascal {
            let is_glued = is_underscored || is_capital_next || previous.is_some_and(char::is_alphanumeric);
            if written == self.title && !(has_one_word && is_glued) { Form::Title } else { Form::Pascal }
        } else if is_capital_next {
            Form::Camel
        } else if has_one_word && is_underscored && !before.ends_with(BINARY_VARIABLE) {
            Form::Snake
        } else if written == self.kebab {
            Form::Kebab
        } else if written == self.snake {
            Form::Snake
        } else {
            Form::Camel
        }
    }
}

/// Returns true for a character that continues the word before it.
fn continues_word(c: char) -> bool {
    c.is_lowercase() || c.is_numeric()
}

/// Returns true if the occurrence is an ordinary word or tokio's function of that name.
fn is_other_word(before: &str) -> bool {
    ["full-", "Full-", "half-", "Half-", "io::"].iter().any(|lead| before.ends_with(lead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_becomes_the_same_form_of_the_new_name() {
        let one = Name::of("echo");
        let two = Name::of("my-app");
        for (before, after) in [
            ("echo.v1.json", "my-app.v1.json"),
            ("target/release/echo", "target/release/my-app"),
            ("CARGO_BIN_EXE_echo\"", "CARGO_BIN_EXE_my-app\""),
            ("\"__Host-echo\"", "\"__Host-my-app\""),
            ("echo_sessions", "my_app_sessions"),
            ("window.echoBuild", "window.myAppBuild"),
            ("ECHO_LISTEN", "MY_APP_LISTEN"),
            ("__ECHO_BUILD__", "__MY_APP_BUILD__"),
            ("# Echo\n", "# My App\n"),
            ("EchoClient", "MyAppClient"),
            ("useEcho()", "useMyApp()"),
            ("io::echo(64), full-echo", "io::echo(64), full-echo"),
            ("Übung · nothing", "Übung · nothing"),
        ] {
            assert_eq!(one.replace_in(before, &two), after);
        }
    }

    #[test]
    fn a_name_of_two_words_can_be_renamed_again() {
        let text = "my-app my_app_sessions MY_APP_LISTEN My App MyAppClient myAppBuild";
        let echo = "echo echo_sessions ECHO_LISTEN Echo EchoClient echoBuild";
        let two = Name::of("my-app");
        let one = Name::of("echo");
        assert_eq!(two.replace_in(text, &one), echo);
        assert_eq!(one.replace_in(echo, &two), text);
    }

    #[test]
    fn a_name_that_repeats_itself_is_replaced_from_the_left() {
        assert_eq!(Name::of("tick-tick").replace_in("tick-tick-tick", &Name::of("echo")), "echo-tick");
    }

    #[test]
    fn a_part_of_another_word_is_not_the_name() {
        let one = Name::of("echo");
        let two = Name::of("my-app");
        for text in ["echoes", "Echoes", "anecho", "echo2", "RECHO", "ECHOES", "SEcho"] {
            assert_eq!(one.replace_in(text, &two), text);
            assert_eq!(one.first_line_in(text, &two), None);
        }
    }

    #[test]
    fn a_word_that_a_text_uses_is_found_in_every_form_but_not_within_the_present_name() {
        let board = Name::of("board");
        let present = Name::of("acme-board");
        assert_eq!(board.first_line_in("one\nacme-board\nACME_BOARD AcmeBoard\n", &present), None);
        for used in ["board", "board_size", "BOARD", "Board", "boardSize", "dash-board"] {
            assert_eq!(
                board.first_line_in(&format!("one\nacme-board {used}\n"), &present),
                Some(2),
                "{used}"
            );
        }
        assert_eq!(present.first_line_in("a board", &board), None);
    }

    #[test]
    fn only_names_that_a_binary_may_have_are_taken() {
        assert!(
            Name::parse("a").is_ok() && Name::parse("my-app-2").is_ok() && Name::parse("my-match").is_ok()
        );
        for bad in ["", "-a", "a-", "a--b", "2a", "My", "a_b", "ä", "match", "build", "incremental", "nul"] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
    }
}
