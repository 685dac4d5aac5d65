//! `problem_text`: the text that a user sees about a [`Problem`].

use shared::{ErrorCode, Problem};

/// Explains a problem to a user, and what to do about it, in full sentences.
///
/// The problem's detail is shown where the server writes it for users. Where it is about bytes or nodes, the code
/// decides the text.
pub fn problem_text(problem: &Problem) -> String {
    match problem.code {
        ErrorCode::Unavailable => "Can't reach the server. Try again in a moment.".into(),
        // Without a time to retry after, it is a limit of this client, with a detail written for users.
        ErrorCode::TooMany if problem.retry_after_ms.is_some() => {
            "You're sending too fast. Try again in a moment.".into()
        }
        ErrorCode::TooLarge => "This message is too long for this server.".into(),
        ErrorCode::Unauthenticated => "You've been signed out. Enter a name to continue.".into(),
        ErrorCode::Internal => {
            let mut text = String::from("Something went wrong on the server. Try again.");
            if !problem.request_id.is_empty() {
                text.push_str(&format!(" (Request {})", problem.request_id));
            }
            text
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

/// Capitalizes the first letter and adds a full stop if the text has none.
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

    fn text(code: ErrorCode, detail: &str) -> String {
        problem_text(&Problem::new(code, detail))
    }

    #[test]
    fn technical_details_are_not_shown_to_users() {
        for (code, detail) in [
            (ErrorCode::Unavailable, "this node takes no more sockets and streams at the moment"),
            (ErrorCode::TooLarge, "the payload is larger than 8192 bytes"),
            (ErrorCode::Internal, "pool timed out"),
            (ErrorCode::Unauthenticated, "no session cookie"),
        ] {
            assert!(!text(code, detail).contains(detail));
        }
    }

    #[test]
    fn a_rate_limit_is_worded_differently_from_a_limit_of_the_client() {
        let limit = Problem::new(ErrorCode::TooMany, "100 messages are waiting already.");
        assert_eq!(problem_text(&limit), "100 messages are waiting already.");
        assert_eq!(
            problem_text(&limit.retry_after_ms(10)),
            "You're sending too fast. Try again in a moment."
        );
    }

    #[test]
    fn an_internal_error_names_its_request_for_the_servers_log() {
        let mut problem = Problem::new(ErrorCode::Internal, "");
        assert_eq!(problem_text(&problem), "Something went wrong on the server. Try again.");
        problem.request_id = "r1".into();
        assert!(problem_text(&problem).ends_with("Try again. (Request r1)"));
    }

    #[test]
    fn a_broken_rule_of_a_field_is_a_sentence() {
        let problem = Problem::invalid_field("display_name", "must not be empty");
        assert_eq!(problem_text(&problem), "The display name must not be empty.");
    }

    #[test]
    fn a_detail_for_users_is_shown_as_a_sentence() {
        assert_eq!(text(ErrorCode::Forbidden, "this topic is closed"), "This topic is closed.");
        assert_eq!(text(ErrorCode::Conflict, "Somebody was faster."), "Somebody was faster.");
        assert_eq!(text(ErrorCode::Conflict, "élan"), "élan.");
        assert_eq!(text(ErrorCode::NotFound, ""), "Not found.");
    }
}
