//! Words that a person reads: a problem told by its code, and a name that cannot disturb the text around it.

use shared::{ErrorCode, Problem};

/// Sentence that tells a person what went wrong and what to do about it.
///
/// A detail is repeated where the server writes it for people; where it speaks of bytes or of machines, the code
/// decides.
pub fn problem_text(problem: &Problem) -> String {
    match problem.code {
        ErrorCode::Unavailable => "Can't reach the server. Try again in a moment.".into(),
        // Without a time to come back it is a limit of this page, told in its own words.
        ErrorCode::TooMany if problem.retry_after_ms.is_some() => {
            "You're sending too fast. Try again in a moment.".into()
        }
        ErrorCode::TooLarge => "This message is too long for this server.".into(),
        ErrorCode::Unauthenticated => "You've been signed out. Enter a name to continue.".into(),
        ErrorCode::Internal => {
            let mut words = String::from("Something went wrong on the server. Try again.");
            if !problem.request_id.is_empty() {
                words.push_str(&format!(" (Request {})", problem.request_id));
            }
            words
        }
        ErrorCode::Invalid if !problem.errors.is_empty() => {
            let rules = problem.errors.iter().map(|error| {
                format!("The {} {}.", error.field.replace('_', " "), error.message.trim_end_matches('.'))
            });
            rules.collect::<Vec<_>>().join(" ")
        }
        _ if problem.detail.is_empty() => sentence(&problem.title),
        _ => sentence(&problem.detail),
    }
}

/// The name between marks that keep its direction of writing to itself, for text without elements (see `<bdi>`).
pub fn isolate_bidi(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}

/// The text with a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut sentence = text.to_owned();
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(code: ErrorCode, detail: &str) -> String {
        problem_text(&Problem::new(code, detail))
    }

    #[test]
    fn words_of_machines_do_not_reach_people() {
        for (code, detail) in [
            (ErrorCode::Unavailable, "this node takes no more sockets and streams at the moment"),
            (ErrorCode::TooLarge, "the payload is larger than 8192 bytes"),
            (ErrorCode::Internal, "pool timed out"),
            (ErrorCode::Unauthenticated, "no session cookie"),
        ] {
            assert!(!words(code, detail).contains(detail));
        }
    }

    #[test]
    fn a_rate_is_told_apart_from_a_limit_of_the_page() {
        let limit = Problem::new(ErrorCode::TooMany, "100 messages are waiting already.");
        assert_eq!(problem_text(&limit), "100 messages are waiting already.");
        assert_eq!(
            problem_text(&limit.retry_after_ms(10)),
            "You're sending too fast. Try again in a moment."
        );
    }

    #[test]
    fn an_error_of_the_server_can_be_found_in_its_log() {
        let mut problem = Problem::new(ErrorCode::Internal, "");
        assert_eq!(problem_text(&problem), "Something went wrong on the server. Try again.");
        problem.request_id = "r1".into();
        assert!(problem_text(&problem).ends_with("Try again. (Request r1)"));
    }

    #[test]
    fn the_rule_of_a_field_is_a_sentence() {
        let problem = Problem::invalid_field("display_name", "must not be empty");
        assert_eq!(problem_text(&problem), "The display name must not be empty.");
    }

    #[test]
    fn a_detail_for_people_stays_and_becomes_a_sentence() {
        assert_eq!(words(ErrorCode::Forbidden, "this topic is closed"), "This topic is closed.");
        assert_eq!(words(ErrorCode::Conflict, "Somebody was faster."), "Somebody was faster.");
        assert_eq!(words(ErrorCode::Conflict, "élan"), "élan.");
        assert_eq!(words(ErrorCode::NotFound, ""), "Not found.");
    }
}
