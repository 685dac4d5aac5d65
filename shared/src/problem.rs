//! `Problem`, the description of a refusal or a failure (RFC 9457), and `CloseReason`, the reason for which a socket ends.

use serde::{Deserialize, Serialize};

/// An error as it crosses the wire, `application/problem+json`. It can be shown to a person: it never names an inner cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// Always `about:blank`: the `code` tells problems apart.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status, even in a frame of the socket.
    pub status: u16,
    /// The code, for programs.
    pub code: ErrorCode,
    /// The advice for a person: the field, the rule, and what to do.
    pub detail: String,
    /// The id by which the server's log lines about it are found.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The time after which to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// One entry for each field that broke a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One field that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// Its name on the wire.
    pub field: String,
    /// The rule, in words that follow the name: "must not be empty".
    pub message: String,
}

impl Problem {
    /// Creates a problem with that code; `detail` says what to do.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Problem {
        Problem {
            kind: "about:blank".into(),
            title: code.title().into(),
            status: code.status(),
            code,
            detail: detail.into(),
            request_id: String::new(),
            retry_after_ms: None,
            errors: Vec::new(),
        }
    }

    /// Creates an `invalid` problem: `field` breaks the rule that `message` states.
    pub fn invalid_field(field: &str, message: impl Into<String>) -> Problem {
        let message = message.into();
        let mut problem = Problem::new(ErrorCode::Invalid, format!("{field} {message}"));
        problem.errors.push(FieldError { field: field.into(), message });
        problem
    }

    /// Adds the time after which to try again.
    pub fn retry_after_ms(mut self, millis: u64) -> Problem {
        self.retry_after_ms = Some(millis);
        self
    }
}

/// Defines the closed set of codes once: variant, HTTP status, title.
macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident $status:literal $title:literal;)*) => {
        /// Every way in which the server says no. One row each: name on the wire, status, title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum ErrorCode { $($(#[$doc])* $variant,)* }

        impl ErrorCode {
            /// All of them, in the order of their status.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(ErrorCode::$variant => $status,)* }
            }

            /// The code in words.
            pub fn title(self) -> &'static str {
                match self { $(ErrorCode::$variant => $title,)* }
            }
        }
    };
}

error_codes! {
    /// The request breaks a rule that `detail` names.
    Invalid 400 "Invalid request";
    /// Nobody is signed in, or the sign-in has ended.
    Unauthenticated 401 "Not signed in";
    /// Signed in, and still not allowed.
    Forbidden 403 "Not allowed";
    /// There is nothing under that address.
    NotFound 404 "Not found";
    /// The address does not know that method.
    MethodNotAllowed 405 "Method not allowed";
    /// No representation that the client accepts.
    NotAcceptable 406 "Not acceptable";
    /// The request was not complete in time; nothing has happened.
    TooSlow 408 "Too slow";
    /// The state has moved on.
    Conflict 409 "Conflict";
    /// Past a limit of size.
    TooLarge 413 "Too large";
    /// A body of another type.
    UnsupportedMediaType 415 "Unsupported media type";
    /// The same idempotency key with another payload.
    KeyReused 422 "Key reused";
    /// Only a WebSocket handshake makes sense there.
    UpgradeRequired 426 "Upgrade required";
    /// Past a rate; `retry_after_ms` says when it is over.
    TooMany 429 "Too many requests";
    /// The server's own fault; its log knows more under the request id.
    Internal 500 "Internal error";
    /// Not now; `retry_after_ms` says when to ask again. It is unknown whether a publish happened: send it again with the same key.
    Unavailable 503 "Unavailable";
}

impl ErrorCode {
    /// True if the same request may succeed later, unchanged.
    pub fn is_temporary(self) -> bool {
        matches!(self, ErrorCode::TooSlow | ErrorCode::TooMany | ErrorCode::Internal | ErrorCode::Unavailable)
    }
}

/// Defines the close reasons once: variant, close code, text.
macro_rules! close_reasons {
    ($($(#[$doc:meta])* $variant:ident $code:literal $text:literal;)*) => {
        /// The reason for which a node closes a socket.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CloseReason {
            $($(#[$doc])* $variant,)*
            /// Any other code, also for a connection that just vanished.
            Other(u16),
        }

        impl CloseReason {
            /// The WebSocket close code (RFC 6455 §7.4).
            pub fn code(self) -> u16 {
                match self { $(CloseReason::$variant => $code,)* CloseReason::Other(code) => code }
            }

            /// Returns the reason behind a close code.
            pub fn from_code(code: u16) -> CloseReason {
                match code { $($code => CloseReason::$variant,)* other => CloseReason::Other(other) }
            }

            /// The text that goes with the code in the close frame.
            pub fn text(self) -> &'static str {
                match self { $(CloseReason::$variant => $text,)* CloseReason::Other(_) => "closed" }
            }
        }
    };
}

close_reasons! {
    /// The node is stopping; its `drain` frame said when to come back.
    ServiceRestart 1012 "service restart";
    /// The node is short of memory, and closes the newest sockets, first those of addresses with many.
    TryAgainLater 1013 "try again later";
    /// The client sent too many frames that could not be read.
    TooManyErrors 4000 "too many errors";
    /// The sign-in ended or expired.
    IdentityEnded 4001 "identity ended";
    /// The client answered none of two pings.
    HeartbeatMissed 4002 "heartbeat missed";
    /// The client took no bytes for 30 s.
    SendTimedOut 4008 "socket took nothing";
    /// The client sent a binary frame.
    Binary 1003 "text frames only";
    /// The client sent a frame over the limit.
    TooLarge 1009 "frame too large";
    /// The client sent bytes that are not WebSocket frames.
    Protocol 1002 "protocol error";
    /// The client sent text that is not valid UTF-8.
    NotUtf8 1007 "text must be UTF-8";
}

impl CloseReason {
    /// True if the client should connect again by itself.
    pub fn comes_back(self) -> bool {
        !matches!(self, CloseReason::TooManyErrors | CloseReason::IdentityEnded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_code_leads_back_to_its_reason() {
        for code in [1002, 1003, 1006, 1007, 1009, 1012, 1013, 4000, 4001, 4002, 4008] {
            assert_eq!(CloseReason::from_code(code).code(), code);
        }
    }

    #[test]
    fn only_two_reasons_keep_a_client_away() {
        let away: Vec<u16> =
            (1000..5000).filter(|code| !CloseReason::from_code(*code).comes_back()).collect();
        assert_eq!(away, [4000, 4001]);
    }
}
