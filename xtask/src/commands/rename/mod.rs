//! `cargo xtask rename my-app`: the project takes your name, in every form in which it carries its own.

use super::delete_demo::require_clean_tree;
use crate::failure::{Failure, Result};
use crate::{files, process, project, say};

/// Renames in all text files but the licences, whose authors stay who they are.
pub(super) fn run(args: &[String]) -> Result {
    let force = args.iter().any(|arg| arg == "--force");
    let names: Vec<&String> = args.iter().filter(|arg| *arg != "--force").collect();
    let &[name] = names.as_slice() else {
        return Err(Failure::Misuse("rename wants one name: `cargo xtask rename my-app`".into()));
    };
    if !is_name(name) {
        return Err(Failure::Misuse(format!(
            "`{name}`: a name is a-z, 0-9 and single `-`, and begins with a letter"
        )));
    }
    if !force {
        require_clean_tree()?;
    }
    let (old, new) = (Forms::of(project::NAME), Forms::of(name));
    for path in files::of_project(project::root())? {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if file.starts_with("LICENSE") || file == "Cargo.lock" {
            continue;
        }
        // What is not text has no name in it.
        let Ok(text) = files::read_text(&path) else { continue };
        let renamed = replace(&text, &old, &new);
        if renamed != text {
            files::write(&path, renamed)?;
        }
    }
    say::note(&format!("{} is now {name}; `cargo xtask run` shows it", project::NAME));
    process::run(&mut process::cargo("fmt --all"))
}

fn is_name(name: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('-').all(word)
}

/// One name in all its forms.
struct Forms {
    /// `my-app`: the binary, the wire, the prose.
    kebab: String,
    /// `my_app`: part of an identifier.
    snake: String,
    /// `MY_APP`: environment variables.
    screaming: String,
    /// `My App`: what people read.
    title: String,
    /// `MyApp`: part of a type's name.
    pascal: String,
}

impl Forms {
    fn of(kebab: &str) -> Self {
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        let words: Vec<String> = kebab.split('-').map(capital).collect();
        let snake = kebab.replace('-', "_");
        Forms {
            kebab: kebab.into(),
            screaming: snake.to_uppercase(),
            snake,
            title: words.join(" "),
            pascal: words.concat(),
        }
    }
}

/// Replaces each form by the new name's form. A name of one word looks the same in several forms: what
/// stands beside it tells which one is meant.
fn replace(text: &str, old: &Forms, new: &Forms) -> String {
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let before = renamed.chars().next_back();
        let (length, form) = match form_at(rest, old) {
            Some(found) if !is_english(&renamed) => {
                let after = rest[found.len()..].chars().next();
                (found.len(), form_for(found, [before, after], old, new))
            }
            _ => (next.len_utf8(), &rest[..next.len_utf8()]),
        };
        renamed.push_str(form);
        rest = &rest[length..];
    }
    renamed
}

fn form_at<'a>(text: &str, old: &'a Forms) -> Option<&'a str> {
    let forms = [&old.kebab, &old.snake, &old.screaming, &old.title, &old.pascal];
    forms.into_iter().map(String::as_str).find(|form| text.starts_with(form))
}

/// The word itself and tokio's function of that name are not the project's name.
fn is_english(before: &str) -> bool {
    ["full-", "half-", "io::"].iter().any(|lead| before.ends_with(lead))
}

fn form_for<'a>(found: &str, beside: [Option<char>; 2], old: &Forms, new: &'a Forms) -> &'a str {
    let glued = beside.into_iter().flatten().any(|c| c.is_alphanumeric() || c == '_');
    // `CARGO_BIN_EXE_<name>` holds the binary's name as it is, though it looks like an identifier.
    let binary = found == old.kebab
        && beside[0] == Some('_')
        && beside[1].is_none_or(|c| !c.is_alphanumeric() && c != '_');
    if found == old.screaming {
        &new.screaming
    } else if found == old.kebab && (binary || !glued) {
        &new.kebab
    } else if found == old.kebab || found == old.snake {
        &new.snake
    } else if glued {
        &new.pascal
    } else {
        &new.title
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_becomes_the_same_form_of_the_new_name() {
        let (one, two) = (Forms::of("echo"), Forms::of("my-app"));
        for (before, after) in [
            ("echo.v1.json", "my-app.v1.json"),
            ("target/release/echo", "target/release/my-app"),
            ("CARGO_BIN_EXE_echo\"", "CARGO_BIN_EXE_my-app\""),
            ("echo_session", "my_app_session"),
            ("ECHO_LISTEN", "MY_APP_LISTEN"),
            ("# Echo\n", "# My App\n"),
            ("EchoClient", "MyAppClient"),
            ("io::echo(64), full-echo", "io::echo(64), full-echo"),
            ("Übung · nothing", "Übung · nothing"),
        ] {
            assert_eq!(replace(before, &one, &two), after);
        }
    }

    #[test]
    fn a_name_of_two_words_can_be_renamed_again() {
        let (two, one) = (Forms::of("my-app"), Forms::of("echo"));
        let text = "my-app my_app_session MY_APP_LISTEN My App MyAppClient";
        assert_eq!(replace(text, &two, &one), "echo echo_session ECHO_LISTEN Echo EchoClient");
    }

    #[test]
    fn only_names_that_a_package_may_have_are_taken() {
        assert!(is_name("a") && is_name("my-app-2"));
        for bad in ["", "-a", "a-", "a--b", "2a", "My", "a_b", "ä"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
