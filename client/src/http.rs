//! HTTP requests: a deadline for each, retries where repeating is harmless, and [`Problem`] as the only error.
//!
//! Posts are not retried here: the outbox knows their keys and whether the node is reachable.

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

/// The time to wait for an answer before the attempt counts as failed.
const ANSWER_MS_MAX: u32 = 10_000;
/// Retries after a temporary failure.
const RETRIES_MAX: usize = 3;
/// The longest pause between two attempts; a user is waiting.
const PAUSE_MS_MAX: u64 = 10_000;

/// The precision of a `Date` header: whole seconds, rounded down, and older by the answer's time on the way.
const DATE_PRECISION_MS: Millis = 3_000;

thread_local! {
    static ON_UNAUTHENTICATED: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Calls `callback` whenever an answer says that nobody is signed in. Replaces an earlier callback.
pub fn on_unauthenticated(callback: impl Fn() + 'static) {
    ON_UNAUTHENTICATED.set(Some(Box::new(callback)));
}

/// Gets `url` and decodes the answer. An empty answer decodes as `null`: ask for an `Option` where that may happen.
///
/// Retries up to three times if the network or the node fails, and returns the last problem.
pub async fn get_json<T: DeserializeOwned>(url: &str) -> Result<T, Problem> {
    match early_answer(url).await {
        Some(text) => parse(&text),
        None => parse(&send_with_retries(|| Request::get(url)).await?),
    }
}

/// Takes the answer to a request that assets/boot.js sent while this client was loading. `None` if it sent none, if the
/// answer was taken before or is too old, and if the request failed.
async fn early_answer(url: &str) -> Option<String> {
    let take = Reflect::get(&window(), &"takeEarlyAnswer".into()).ok()?.dyn_into::<Function>().ok()?;
    let answer = take.call1(&JsValue::UNDEFINED, &url.into()).ok()?.dyn_into::<Promise>().ok()?;
    let answer = JsFuture::from(answer).await.ok()?.dyn_into::<Array>().ok()?;
    note_time(answer.get(1).as_string());
    // An answer that is there already would merge this task and the rendering that follows into one long task.
    browser::sleep(0).await;
    answer.get(0).as_string()
}

/// Like [`get_json`], but tries only once: for callers with their own rhythm of retries.
pub async fn get_json_once<T: DeserializeOwned>(url: &str) -> Result<T, Problem> {
    parse(&send(ANSWER_MS_MAX, Request::get(url), None).await?)
}

/// Gets `url` once, by a long poll: the node may wait for up to `secs` before it answers (`Prefer: wait`, RFC 7240).
pub async fn get_json_waiting<T: DeserializeOwned>(url: &str, secs: u32) -> Result<T, Problem> {
    let request = Request::get(url).header(endpoint::PREFER, &endpoint::wait(secs));
    parse(&send(ANSWER_MS_MAX + secs * 1_000, request, None).await?)
}

/// Posts `body` once. With an idempotency `key` the caller may post it again.
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
    parse(&send(ANSWER_MS_MAX, request, Some(body)).await?)
}

/// Deletes `url`, with the retries of [`get_json`].
pub async fn delete(url: &str) -> Result<(), Problem> {
    send_with_retries(|| Request::delete(url)).await.map(drop)
}

async fn send_with_retries(request: impl Fn() -> RequestBuilder) -> Result<String, Problem> {
    let mut backoff = Backoff::default();
    for _ in 0..RETRIES_MAX {
        match send(ANSWER_MS_MAX, request(), None).await {
            Err(problem) if problem.code.is_temporary() => {
                let pause = problem.retry_after_ms.unwrap_or_else(|| backoff.next_ms(js_sys::Math::random()));
                browser::sleep(pause.min(PAUSE_MS_MAX)).await;
            }
            answer => return answer,
        }
    }
    send(ANSWER_MS_MAX, request(), None).await
}

/// Sends a request once. Returns the text of a successful answer, or the problem. Dropping the future aborts it.
async fn send(millis: u32, request: RequestBuilder, body: Option<String>) -> Result<String, Problem> {
    let abort = AbortOnDrop(AbortController::new().expect("every browser that runs WebAssembly can abort"));
    let late = abort.0.clone();
    let _deadline = Timeout::new(millis, move || late.abort());
    let request = request.abort_signal(Some(&abort.0.signal())).header("Accept", "application/json");
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
    let problem = problem_of(response.status(), &text);
    if problem.code == ErrorCode::Unauthenticated {
        ON_UNAUTHENTICATED.with_borrow(|callback| {
            if let Some(callback) = callback {
                callback();
            }
        });
    }
    Err(problem)
}

/// Notes the node's time, which every answer carries in its `Date` (RFC 9110 §6.6.1), to the second.
fn note_time(date: Option<String>) {
    let millis = date.map_or(f64::NAN, |date| js_sys::Date::parse(&date));
    if millis.is_finite() {
        browser::note_node_time(millis as Millis, DATE_PRECISION_MS);
    }
}

/// Aborts a request when it is dropped.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

/// The problem in a failed answer, or one made from the status if a proxy answered instead of the node.
fn problem_of(status: u16, body: &str) -> Problem {
    serde_json::from_str(body).unwrap_or_else(|_| {
        let known = ErrorCode::ALL.iter().copied().find(|code| code.status() == status);
        let code = known.unwrap_or(if status < 500 { ErrorCode::Invalid } else { ErrorCode::Unavailable });
        Problem::new(code, format!("The server returned an error: {status} ({}).", code.title()))
    })
}

fn no_answer() -> Problem {
    Problem::new(ErrorCode::Unavailable, "Can't reach the server. Try again in a moment.")
}

fn unreadable(error: &serde_json::Error) -> Problem {
    web_sys::console::warn_1(&format!("JSON: {error}").into());
    Problem::new(ErrorCode::Invalid, "The server sent an unexpected response. Reload the page.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &str = include_str!("../../assets/boot.js");

    #[test]
    fn the_sign_in_is_checked_while_the_client_loads() {
        assert!(BOOT.contains(&format!("ask(\"{}\")", endpoint::ME)));
        assert!(BOOT.contains("window.takeEarlyAnswer ="));
    }

    #[test]
    fn a_problem_of_the_server_is_passed_on_unchanged() {
        let problem = Problem::invalid_field("text", "must not be empty");
        assert_eq!(problem_of(400, &serde_json::to_string(&problem).unwrap()), problem);
    }

    #[test]
    fn an_answer_of_a_proxy_becomes_a_problem_too() {
        assert_eq!(problem_of(502, "<h1>Bad gateway</h1>").code, ErrorCode::Unavailable);
        assert_eq!(problem_of(413, "").code, ErrorCode::TooLarge);
        assert_eq!(problem_of(418, "").code, ErrorCode::Invalid);
    }
}
