//! Requests: a deadline for each, a few retries where repeating is harmless, and one kind of error,
//! [`Problem`].
//!
//! Writing is not repeated here: whoever publishes knows its key and whether the node is reachable at all
//! (see the outbox).

use std::cell::RefCell;

use gloo_net::http::{Request, RequestBuilder};
use gloo_timers::callback::Timeout;
use js_sys::futures::JsFuture;
use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::window;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::{Backoff, ErrorCode, Key, Millis, Problem, endpoint};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortController;

use crate::browser;

/// No answer after this long: the attempt has failed.
const ANSWER_MS_MAX: u32 = 10_000;
/// How often a request that failed for a passing reason is repeated.
const RETRIES_MAX: usize = 3;
/// The longest wait between two attempts that a person is made to sit through.
const PAUSE_MS_MAX: u64 = 10_000;

/// A `Date` is whole seconds, cut off, and older by the way of the answer.
const DATE_PRECISION_MS: Millis = 3_000;

thread_local! {
    static ON_UNAUTHENTICATED: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Calls `act` from now on whenever an answer says that nobody is signed in.
pub fn on_unauthenticated(act: impl Fn() + 'static) {
    ON_UNAUTHENTICATED.set(Some(Box::new(act)));
}

/// Reads `url`. An answer without content reads as `null`, so ask for an `Option` where that may happen.
///
/// Repeated up to three times when the network or the node fails; the problem is the last one met.
pub async fn get_json<T: DeserializeOwned>(url: &str) -> Result<T, Problem> {
    match early_answer(url).await {
        Some(text) => read(&text),
        None => read(&repeat(|| Request::get(url)).await?),
    }
}

/// Takes the answer to a request that assets/boot.js sent while this client was still loading. Nothing where it sent
/// none, where its answer was taken before or is too old, and where it was not a good one.
async fn early_answer(url: &str) -> Option<String> {
    let take = Reflect::get(&window(), &"takeEarlyAnswer".into()).ok()?.dyn_into::<Function>().ok()?;
    let answer = take.call1(&JsValue::UNDEFINED, &url.into()).ok()?.dyn_into::<Promise>().ok()?;
    let answer = JsFuture::from(answer).await.ok()?.dyn_into::<Array>().ok()?;
    note_time(answer.get(1).as_string());
    // An answer that is there already would have the page made in the task that asks for it: one long task out of two.
    browser::sleep(0).await;
    answer.get(0).as_string()
}

/// The same with a single attempt, for callers that have a rhythm of their own.
pub async fn get_json_once<T: DeserializeOwned>(url: &str) -> Result<T, Problem> {
    read(&send(Request::get(url), None).await?)
}

/// Reads `url`, once, with a request that may stay at the node for `secs` before it is answered (RFC 7240).
pub async fn get_json_waiting<T: DeserializeOwned>(url: &str, secs: u32) -> Result<T, Problem> {
    let request = Request::get(url).header(endpoint::PREFER, &endpoint::wait(secs));
    read(&send_within(ANSWER_MS_MAX + secs * 1_000, request, None).await?)
}

/// Posts `body`, once. With a `key`, posting it again is harmless.
pub async fn post_json<T: DeserializeOwned>(
    url: &str,
    body: &impl Serialize,
    key: Option<&Key>,
) -> Result<T, Problem> {
    let mut request = Request::post(url).header("Content-Type", "application/json");
    if let Some(key) = key {
        request = request.header(endpoint::IDEMPOTENCY_KEY, key.as_str());
    }
    let body = serde_json::to_string(body).map_err(|error| unreadable(&error))?;
    read(&send(request, Some(body)).await?)
}

/// Deletes what is at `url`; repeated like [`get_json`].
pub async fn delete(url: &str) -> Result<(), Problem> {
    repeat(|| Request::delete(url)).await.map(drop)
}

async fn repeat(request: impl Fn() -> RequestBuilder) -> Result<String, Problem> {
    let mut backoff = Backoff::default();
    for _ in 0..RETRIES_MAX {
        match send(request(), None).await {
            Err(problem) if problem.code.is_temporary() => {
                let pause = problem.retry_after_ms.unwrap_or_else(|| backoff.next_ms(browser::random()));
                browser::sleep(pause.min(PAUSE_MS_MAX)).await;
            }
            settled => return settled,
        }
    }
    send(request(), None).await
}

async fn send(request: RequestBuilder, body: Option<String>) -> Result<String, Problem> {
    send_within(ANSWER_MS_MAX, request, body).await
}

/// One attempt: the answer's text when it is a good one, else what is wrong. Dropped before, it is called off.
async fn send_within(millis: u32, request: RequestBuilder, body: Option<String>) -> Result<String, Problem> {
    let call = Call::within(millis);
    let request = request.abort_signal(Some(&call.0.signal())).header("Accept", "application/json");
    let request = match body {
        Some(body) => request.body(body),
        None => request.build(),
    };
    let response = request.map_err(|_| no_answer())?.send().await.map_err(|_| no_answer())?;
    note_time(response.headers().get("date"));
    let text = response.text().await.map_err(|_| no_answer())?;
    if response.ok() {
        return Ok(if response.status() == 204 { "null".into() } else { text });
    }
    let problem = refusal(response.status(), &text);
    if problem.code == ErrorCode::Unauthenticated {
        ON_UNAUTHENTICATED.with_borrow(|act| act.iter().for_each(|act| act()));
    }
    Err(problem)
}

/// Every answer tells the node's time in its `Date` (RFC 9110 §6.6.1), to the second.
fn note_time(date: Option<String>) {
    let millis = date.map_or(f64::NAN, |date| js_sys::Date::parse(&date));
    if millis.is_finite() {
        browser::note_node_time(millis as Millis, DATE_PRECISION_MS);
    }
}

/// What ends a request: its deadline, or that nobody wants the answer any more.
struct Call(
    AbortController,
    #[expect(dead_code, reason = "dropped with the rest, it does not ring")] Timeout,
);

impl Call {
    fn within(millis: u32) -> Call {
        let controller = AbortController::new().expect("every browser that runs WebAssembly can abort");
        let on_time = controller.clone();
        Call(controller, Timeout::new(millis, move || on_time.abort()))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

/// What the server says is wrong; in its place the status, when something between here and there answered.
fn refusal(status: u16, body: &str) -> Problem {
    serde_json::from_str(body).unwrap_or_else(|_| {
        let known = ErrorCode::ALL.iter().copied().find(|code| code.status() == status);
        let code = known.unwrap_or(if status < 500 { ErrorCode::Invalid } else { ErrorCode::Unavailable });
        Problem::new(code, format!("The server answered with {status} ({}).", code.title()))
    })
}

fn no_answer() -> Problem {
    Problem::new(ErrorCode::Unavailable, "Can't reach the server. Try again in a moment.")
}

fn unreadable(error: &serde_json::Error) -> Problem {
    web_sys::console::warn_1(&format!("JSON: {error}").into());
    Problem::new(ErrorCode::Invalid, "The server's answer could not be read. Reload the page.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &str = include_str!("../../assets/boot.js");

    #[test]
    fn who_is_signed_in_is_asked_while_the_client_loads() {
        assert!(BOOT.contains(&format!("ask(\"{}\")", endpoint::ME)));
        assert!(BOOT.contains("window.takeEarlyAnswer ="));
    }

    #[test]
    fn a_problem_of_the_server_is_told_in_its_own_words() {
        let told = Problem::invalid_field("text", "must not be empty");
        assert_eq!(refusal(400, &serde_json::to_string(&told).unwrap()), told);
    }

    #[test]
    fn an_answer_of_something_in_between_still_becomes_a_problem() {
        assert_eq!(refusal(502, "<h1>Bad gateway</h1>").code, ErrorCode::Unavailable);
        assert_eq!(refusal(413, "").code, ErrorCode::TooLarge);
        assert_eq!(refusal(418, "").code, ErrorCode::Invalid);
    }
}
