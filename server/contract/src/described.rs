//! `Described`: the documentation of a handler's arguments and answer, so that its signature is its documentation.

use std::future::Future;
use std::marker::PhantomData;

use axum::Json;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use schemars::JsonSchema;
use serde_json::json;
use shared::{ErrorCode, endpoint};

use crate::operation::{Operation, Place};

/// An argument or an answer of a handler that documents itself for the caller. Your own types implement it beside the
/// code that reads or writes them.
#[diagnostic::on_unimplemented(
    message = "the contract cannot describe `{Self}`",
    note = "implement `Described` for it: say which parameters it reads, or which answers it gives"
)]
pub trait Described {
    /// Adds the parameters that this type reads, the answers that it gives, and the errors that it can cause.
    fn describe(operation: &mut Operation<'_>);
}

/// An answer that has several forms, all of which `Forms` describes. `Forms` is an empty enum that implements
/// [`Described`].
pub struct Answer<Forms>(Response, PhantomData<Forms>);

impl<Forms> Answer<Forms> {
    /// Answers with one of the forms.
    pub fn of(form: impl IntoResponse) -> Answer<Forms> {
        Answer(form.into_response(), PhantomData)
    }
}

impl<Forms> IntoResponse for Answer<Forms> {
    fn into_response(self) -> Response {
        self.0
    }
}

impl<Forms: Described> Described for Answer<Forms> {
    fn describe(operation: &mut Operation<'_>) {
        Forms::describe(operation);
    }
}

/// A handler whose arguments and answer are all [`Described`]: every async function of such types is one.
#[diagnostic::on_unimplemented(
    message = "the contract cannot describe this handler",
    note = "each of its arguments, and its answer, must implement `Described`"
)]
pub trait DescribedHandler<Arguments> {
    /// Adds the description of each argument, then that of the answer.
    fn describe(operation: &mut Operation<'_>);
}

macro_rules! handlers {
    ($(($($argument:ident)*))*) => {$(
        impl<F, Answering, Answer, $($argument,)*> DescribedHandler<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Answering,
            Answering: Future<Output = Answer>,
            Answer: Described,
            $($argument: Described,)*
        {
            fn describe(operation: &mut Operation<'_>) {
                $($argument::describe(operation);)*
                Answer::describe(operation);
            }
        }
    )*};
}

handlers! { () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E G) (A B C D E G H) (A B C D E G H I) }

/// Defines types without a description of their own: the caller does not see them, or the handler describes them.
macro_rules! silent {
    ($($type:ty),*; $($generic:ident),*) => {
        $(impl Described for $type {
            fn describe(_operation: &mut Operation<'_>) {}
        })*
        $(impl<T> Described for $generic<T> {
            fn describe(_operation: &mut Operation<'_>) {}
        })*
    };
}

silent! { HeaderMap, WebSocketUpgradeRejection; State, ConnectInfo, Extension }

impl Described for WebSocketUpgrade {
    fn describe(operation: &mut Operation<'_>) {
        let about = "Offer the one named here; it is confirmed. Other offers are not.";
        let protocol = json!({ "type": "string", "const": endpoint::SUBPROTOCOL });
        operation.takes(Place::Header, "Sec-WebSocket-Protocol", protocol, about);
        operation.answers(StatusCode::SWITCHING_PROTOCOLS, "A WebSocket from now on; 200 over HTTP/2.");
        operation.refuses(ErrorCode::UpgradeRequired);
        operation.refuses(ErrorCode::TooMany);
    }
}

impl Described for CookieJar {
    fn describe(operation: &mut Operation<'_>) {
        operation.knows_sign_in();
    }
}

/// Any text, for each `{name}` in the path.
impl Described for Path<String> {
    fn describe(operation: &mut Operation<'_>) {
        for name in operation.names_in_path() {
            operation.requires(Place::Path, &name, json!({ "type": "string", "minLength": 1 }), "");
        }
        operation.refuses(ErrorCode::Invalid);
    }
}

impl<T: Described> Described for Query<T> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
        operation.refuses(ErrorCode::Invalid);
    }
}

impl<T: JsonSchema> Described for Json<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_json::<T>(StatusCode::OK, "What was asked for.");
    }
}

impl<T: Described, E: Described> Described for Result<T, E> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
        E::describe(operation);
    }
}
