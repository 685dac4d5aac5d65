//! `RequestHeads`: a timeout for request heads on HTTP/1.1, apart from the pauses between them.
//!
//! The library has one timeout for a head and for the pause before it. A pause may be long, because balancers keep idle
//! connections for a minute and use them again. A head that has begun may not.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep, sleep_until};

/// The heads of one connection. Clones are the same.
#[derive(Clone)]
pub struct RequestHeads(Arc<Mutex<HeadState>>);

struct HeadState {
    /// The time of the head's first byte; `None` in a pause, and while a request is being answered.
    began: Option<Instant>,
    /// Requests whose answers have not ended.
    unanswered: u32,
    /// The time at which the last answer ended, or the connection began.
    answered_at: Instant,
}

impl Default for RequestHeads {
    /// Expects the first head at once.
    fn default() -> RequestHeads {
        RequestHeads(Arc::new(Mutex::new(HeadState {
            began: Some(Instant::now()),
            unanswered: 0,
            answered_at: Instant::now(),
        })))
    }
}

impl RequestHeads {
    /// Notes that a head is complete. Returns the pause of the connection before it.
    pub fn on_head(&self) -> Duration {
        let mut state = self.0.lock();
        state.began = None;
        state.unanswered += 1;
        state.answered_at.elapsed()
    }

    /// Wraps an answer, to note its end.
    pub fn track_answer(&self, answer: Response<Body>) -> Response<Body> {
        let end = AnswerEnd(self.clone());
        answer.map(|body| Body::new(body.map_frame(move |frame| (&end, frame).1)))
    }

    fn answered(&self) {
        let mut state = self.0.lock();
        state.unanswered = state.unanswered.saturating_sub(1);
        state.answered_at = Instant::now();
    }

    /// Returns once a head has taken longer than `timeout`.
    pub async fn stuck(&self, timeout: Duration) {
        loop {
            let began = self.0.lock().began;
            match began {
                Some(began) if began.elapsed() >= timeout => return,
                Some(began) => sleep_until(began + timeout).await,
                None => sleep(timeout).await,
            }
        }
    }

    /// Wraps the connection's stream, to note the bytes that are read.
    pub fn track_stream<S>(&self, stream: S) -> TrackedStream<S> {
        TrackedStream { stream, heads: self.clone() }
    }

    fn received(&self) {
        let mut state = self.0.lock();
        if state.unanswered == 0 {
            state.began.get_or_insert_with(Instant::now);
        }
    }
}

/// Dropped with the body of an answer.
struct AnswerEnd(RequestHeads);

impl Drop for AnswerEnd {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// A stream that notes when bytes arrive.
pub struct TrackedStream<S> {
    stream: S,
    heads: RequestHeads,
}

impl<S: AsyncRead + Unpin> AsyncRead for TrackedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        // What is empty between two requests is none of either (RFC 9112 §2.2).
        let is_empty = |byte: &u8| matches!(byte, b'\r' | b'\n');
        if !buffer.filled()[before..].iter().all(is_empty) {
            self.heads.received();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TrackedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn a_head_has_a_deadline_and_a_pause_or_an_answer_has_none() {
        let heads = RequestHeads::default();
        advance(LONG / 2).await;
        heads.on_head();
        // A body, and an answer that takes its time.
        heads.received();
        advance(10 * LONG).await;
        assert!(heads.stuck(LONG).now_or_never().is_none());
        heads.answered();
        advance(10 * LONG).await;
        assert!(heads.stuck(LONG).now_or_never().is_none(), "a pause");
        heads.received();
        advance(LONG / 2).await;
        heads.received();
        assert!(heads.stuck(LONG).now_or_never().is_none());
        advance(LONG / 2).await;
        assert!(heads.stuck(LONG).now_or_never().is_some(), "the first byte is what counts");
    }
}
