//! `Takers`: whether the other side of an HTTP/2 connection takes what it asked for.
//!
//! TCP cannot tell: a connection that answers pings is alive, and its streams may be stuck all the same, each with a
//! page in memory. A body that is asked for its next part has lost the one before; that is what is watched here.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Response;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep};

/// Handed over in one go, and all of an answer that may be stuck without being seen.
const PART_BYTES: usize = 16 * 1_024;

/// Of one connection: since when each answer waits for the other side. An answer that waits for us is not among them.
#[derive(Clone, Default)]
pub struct Takers(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    answers: u64,
    since: HashMap<u64, Instant>,
}

impl Takers {
    /// The answer, watched from now on.
    pub fn watch(&self, answer: Response<Body>) -> Response<Body> {
        let mut waiting = self.lock();
        waiting.answers += 1;
        let number = waiting.answers;
        waiting.since.insert(number, Instant::now());
        drop(waiting);
        answer.map(|body| Body::new(Watched { body, rest: Bytes::new(), number, takers: self.clone() }))
    }

    /// Returns once an answer has waited for so long.
    pub async fn stuck(&self, long: Duration) {
        loop {
            let oldest = self.lock().since.values().min().copied();
            match oldest.map(|since| since.elapsed()) {
                Some(waited) if waited >= long => return,
                Some(waited) => sleep(long - waited).await,
                None => sleep(long).await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

struct Watched {
    body: Body,
    /// What was read of it and not yet handed over.
    rest: Bytes,
    number: u64,
    takers: Takers,
}

impl Watched {
    fn next_part(&mut self, context: &mut Context<'_>) -> Part {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let bytes = self.rest.len().min(PART_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(bytes)))))
    }
}

type Part = Poll<Option<Result<Frame<Bytes>, axum::Error>>>;

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Part {
        let part = self.next_part(context);
        let since = &mut self.takers.lock().since;
        match part {
            Poll::Ready(Some(Ok(_))) => since.insert(self.number, Instant::now()),
            _ => since.remove(&self.number),
        };
        part
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.takers.lock().since.remove(&self.number);
    }
}
