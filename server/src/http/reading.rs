//! `Reading`: how long a head has been on its way.
//!
//! The library has one deadline for a head and for the pause before it. A pause may be long: balancers keep idle
//! connections for a minute and use them again. A head that has begun may not.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep, sleep_until};

/// Of one connection. Clones are the same.
#[derive(Clone)]
pub struct Reading(Arc<Mutex<State>>);

struct State {
    /// When the head on its way began; nothing in a pause, and while a request is being answered.
    began: Option<Instant>,
    /// Requests whose answers have not ended.
    asked: u32,
    /// When the last answer ended, or the connection began.
    answered_at: Instant,
}

impl Default for Reading {
    /// The first head is on its way from the start.
    fn default() -> Reading {
        Reading(Arc::new(Mutex::new(State {
            began: Some(Instant::now()),
            asked: 0,
            answered_at: Instant::now(),
        })))
    }
}

impl Reading {
    /// A head is complete. Its body is read by whoever answers, until `answered`. Returns how long the connection had
    /// paused.
    pub fn asked(&self) -> Duration {
        let mut state = self.lock();
        state.began = None;
        state.asked += 1;
        state.answered_at.elapsed()
    }

    /// The answer, which is noted once all of it has left.
    pub fn until_answered(&self, answer: Response<Body>) -> Response<Body> {
        let end = AnswerEnd(self.clone());
        answer.map(|body| Body::new(body.map_frame(move |frame| (&end, frame).1)))
    }

    /// An answer has ended.
    fn answered(&self) {
        let mut state = self.lock();
        state.asked = state.asked.saturating_sub(1);
        state.answered_at = Instant::now();
    }

    /// Returns once a head has been on its way for so long.
    pub async fn stuck(&self, long: Duration) {
        loop {
            let began = self.lock().began;
            match began {
                Some(began) if began.elapsed() >= long => return,
                Some(began) => sleep_until(began + long).await,
                None => sleep(long).await,
            }
        }
    }

    /// The stream, watched.
    pub fn watch<S>(&self, stream: S) -> Watched<S> {
        Watched { stream, reading: self.clone() }
    }

    fn received(&self) {
        let mut state = self.lock();
        if state.asked == 0 {
            state.began.get_or_insert_with(Instant::now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

/// Dropped with the body of an answer.
struct AnswerEnd(Reading);

impl Drop for AnswerEnd {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// See [`Reading::watch`].
pub struct Watched<S> {
    stream: S,
    reading: Reading,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
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
            self.reading.received();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
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
        let reading = Reading::default();
        advance(LONG / 2).await;
        reading.asked();
        // A body, and an answer that takes its time.
        reading.received();
        advance(10 * LONG).await;
        assert!(reading.stuck(LONG).now_or_never().is_none());
        reading.answered();
        advance(10 * LONG).await;
        assert!(reading.stuck(LONG).now_or_never().is_none(), "a pause");
        reading.received();
        advance(LONG / 2).await;
        reading.received();
        assert!(reading.stuck(LONG).now_or_never().is_none());
        advance(LONG / 2).await;
        assert!(reading.stuck(LONG).now_or_never().is_some(), "the first byte is what counts");
    }
}
