//! `StuckBodies`: finds answers of an HTTP/2 connection that its client does not take.
//!
//! TCP cannot tell: a connection that answers pings is alive, and its streams may be stuck all the same, each with a page
//! in memory. When a body is polled for its next chunk, the one before has left; that is observed here.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Response;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

/// Bytes that a body hands over at once. As much of an answer can be stuck unseen.
const CHUNK_BYTES: usize = 16 * 1_024;

/// The answers of one connection that wait for its client, with the time since which. One that waits for the node is not
/// among them.
#[derive(Clone, Default)]
pub struct StuckBodies(Arc<Mutex<UntakenBodies>>);

#[derive(Default)]
struct UntakenBodies {
    answers: u64,
    since: HashMap<u64, Instant>,
}

impl StuckBodies {
    /// Wraps an answer, to observe its chunks.
    pub fn track(&self, answer: Response<Body>) -> Response<Body> {
        let mut waiting = self.0.lock();
        waiting.answers += 1;
        let number = waiting.answers;
        waiting.since.insert(number, Instant::now());
        drop(waiting);
        answer.map(|body| Body::new(TrackedBody { body, rest: Bytes::new(), number, bodies: self.clone() }))
    }

    /// Returns once an answer has waited for longer than `timeout`.
    pub async fn stuck(&self, timeout: Duration) {
        loop {
            let oldest = self.0.lock().since.values().min().copied();
            match oldest.map(|since| since.elapsed()) {
                Some(waited) if waited >= timeout => return,
                Some(waited) => sleep(timeout - waited).await,
                None => sleep(timeout).await,
            }
        }
    }
}

struct TrackedBody {
    body: Body,
    /// The bytes that were read of the body and not yet handed over.
    rest: Bytes,
    number: u64,
    bodies: StuckBodies,
}

impl TrackedBody {
    fn next_chunk(&mut self, context: &mut Context<'_>) -> NextChunk {
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
        let bytes = self.rest.len().min(CHUNK_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(bytes)))))
    }
}

type NextChunk = Poll<Option<Result<Frame<Bytes>, axum::Error>>>;

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextChunk {
        let chunk = self.next_chunk(context);
        let since = &mut self.bodies.0.lock().since;
        match chunk {
            Poll::Ready(Some(Ok(_))) => since.insert(self.number, Instant::now()),
            _ => since.remove(&self.number),
        };
        chunk
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

impl Drop for TrackedBody {
    fn drop(&mut self) {
        self.bodies.0.lock().since.remove(&self.number);
    }
}
