//! `SocketLoop`: the loop between a WebSocket and its session.
//!
//! The loop knows the socket and nothing of the protocol; the session knows the protocol and no socket. All frames that
//! wait are written before one flush, because nearly all the cost of a push is the system call.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use realtime::{Ending, Mailbox, Session, encode};
use shared::{CloseReason, ServerFrame};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use crate::http::state::AppState;
use crate::telemetry::edge_metrics::GaugeGuard;

/// A socket that takes nothing for this long is closed.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// The time that a client has to answer a close frame.
const LINGER: Duration = Duration::from_secs(1);
/// The same while memory is short.
const LINGER_WHEN_SHORT: Duration = Duration::from_millis(50);
/// The burst of frames, in seconds of their rate.
const BURST_SECS: NonZeroU32 = NonZeroU32::new(4).unwrap();
/// Pings without an answer before the socket is closed.
const PINGS_MAX: u32 = 2;
/// The time to answer the last ping. A live client has had the whole period of the first one before.
const LAST_CHANCE: Duration = Duration::from_secs(5);

/// Serves a socket until one of the two sides ends it.
pub async fn run(socket: WebSocket, app: &AppState, session: Session) {
    SocketLoop::new(socket, app).run(session).await;
}

/// A WebSocket, its rate and its heartbeat.
struct SocketLoop {
    socket: WebSocket,
    frame_bytes_max: usize,
    frames: DefaultDirectRateLimiter,
    /// The socket is not read before this time, because the client was faster than its rate.
    paused_until: Option<Instant>,
    heartbeat: Interval,
    /// Pings written since the last sign of life.
    pings: u32,
    app: AppState,
}

/// The end of the loop.
enum LinkEnd {
    /// The client is told the reason.
    Close(CloseReason),
    /// The client is gone.
    Gone,
}

impl SocketLoop {
    fn new(socket: WebSocket, app: &AppState) -> SocketLoop {
        let rate = app.limits.session_frames_per_sec;
        let burst = rate.saturating_mul(BURST_SECS);
        let period = Duration::from_secs(app.limits.heartbeat_secs.into());
        let mut heartbeat = interval_at(Instant::now() + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        SocketLoop {
            socket,
            frame_bytes_max: app.limits.frame_bytes_max as usize,
            frames: RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)),
            paused_until: None,
            heartbeat,
            pings: 0,
            app: app.clone(),
        }
    }

    async fn run(mut self, mut session: Session) {
        let _gauge = GaugeGuard::enter(&self.app.metrics.sockets_open);
        match self.serve(&mut session).await {
            LinkEnd::Close(reason) => self.close(reason).await,
            LinkEnd::Gone => {}
        }
    }

    /// Serves until one side ends it. Nothing is read while the answers to earlier frames do not fit.
    async fn serve(&mut self, session: &mut Session) -> LinkEnd {
        let mailbox = session.mailbox().clone();
        loop {
            let batch = mailbox.take();
            self.app.metrics.taken(batch.frames.len());
            if let Err(end) = self.write_until_ended(batch.frames, &mailbox).await {
                return end;
            }
            if let Some(ending) = batch.ending {
                return self.farewell(ending).await;
            }
            session.catch_up();
            let may_read = mailbox.can_answer() && self.paused_until.is_none();
            let paused_until = self.paused_until.unwrap_or_else(Instant::now);
            // Not biased: a busy topic must not keep the node from reading, nor the other way round.
            let ended = tokio::select! {
                () = mailbox.filled() => Ok(()),
                _ = self.heartbeat.tick() => self.beat().await,
                () = sleep_until(paused_until), if self.paused_until.is_some() => {
                    self.paused_until = None;
                    // Counts the frame that was too early.
                    self.frames.check().ok();
                    Ok(())
                }
                received = self.socket.recv(), if may_read => self.read(received, session).await,
            };
            if let Err(end) = ended {
                return end;
            }
        }
    }

    async fn farewell(&mut self, ending: Ending) -> LinkEnd {
        match ending {
            Ending::Close(reason) => LinkEnd::Close(reason),
            Ending::Drain { reconnect_after_ms } => {
                let drain = encode(&ServerFrame::Drain { reconnect_after_ms });
                self.write(vec![drain]).await.err().unwrap_or(LinkEnd::Close(CloseReason::ServiceRestart))
            }
        }
    }

    async fn read(
        &mut self,
        received: Option<Result<Message, axum::Error>>,
        session: &mut Session,
    ) -> Result<(), LinkEnd> {
        let message = match received {
            Some(Ok(message)) => message,
            Some(Err(error)) if is_oversize(&error) => {
                session.on_unacceptable(CloseReason::TooLarge);
                return Ok(());
            }
            Some(Err(error)) => return Err(broken(&error).map_or(LinkEnd::Gone, LinkEnd::Close)),
            None => return Err(LinkEnd::Gone),
        };
        if let Message::Text(text) = &message {
            // Only a frame of the protocol counts as an answer: WebSocket pings can come in a message that never ends.
            if self.pings >= PINGS_MAX {
                self.heartbeat.reset();
            }
            self.pings = 0;
            self.app.metrics.frame_in(text.len());
        }
        if let Err(until) = self.frames.check() {
            session.on_too_fast();
            self.paused_until = Some(Instant::now() + until.wait_time_from(DefaultClock::default().now()));
        }
        match message {
            Message::Text(text) if text.len() > self.frame_bytes_max => {
                session.on_unacceptable(CloseReason::TooLarge);
            }
            Message::Text(text) => session.on_text(text.as_str()).await,
            Message::Binary(_) => session.on_unacceptable(CloseReason::Binary),
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => {
                // The library has queued the answer, and writes it with the next flush.
                in_time(self.socket.flush()).await?;
                return Err(LinkEnd::Gone);
            }
        }
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), LinkEnd> {
        if self.pings >= PINGS_MAX {
            return Err(LinkEnd::Close(CloseReason::HeartbeatMissed));
        }
        self.pings += 1;
        self.write(vec![encode(&ServerFrame::Ping { at: (self.app.clock)() })]).await?;
        if self.pings >= PINGS_MAX {
            self.heartbeat.reset_after(self.heartbeat.period().min(LAST_CHANCE));
        }
        Ok(())
    }

    /// Writes the frames. A client that takes nothing and is sent away meanwhile has a moment to take them.
    async fn write_until_ended(&mut self, frames: Vec<Bytes>, mailbox: &Mailbox) -> Result<(), LinkEnd> {
        let ended = async {
            let ending = mailbox.ended().await;
            sleep(linger(ending)).await;
            ending
        };
        tokio::select! {
            biased;
            written = self.write(frames) => written,
            ending = ended => Err(LinkEnd::Close(match ending {
                Ending::Close(reason) => reason,
                Ending::Drain { .. } => CloseReason::ServiceRestart,
            })),
        }
    }

    /// Writes the frames before one flush. Each step has its own timeout: slow is fine, stuck is not.
    async fn write(&mut self, frames: Vec<Bytes>) -> Result<(), LinkEnd> {
        if frames.is_empty() {
            return Ok(());
        }
        self.app.metrics.frames_out(&frames);
        for frame in frames {
            let text = Utf8Bytes::try_from(frame).expect("serde_json writes UTF-8");
            in_time(self.socket.feed(Message::Text(text))).await?;
        }
        in_time(self.socket.flush()).await
    }

    /// Tells the client the reason, and gives it a moment to read it: closing a socket with unread input at once would make
    /// the kernel drop the bytes that were written.
    async fn close(&mut self, reason: CloseReason) {
        let frame = CloseFrame { code: reason.code(), reason: reason.text().into() };
        let until = Instant::now() + linger(Ending::Close(reason));
        let sent = tokio::time::timeout_at(until, self.socket.send(Message::Close(Some(frame)))).await;
        // Reading on would take memory, which is short.
        if !matches!(sent, Ok(Ok(()))) || reason == CloseReason::TryAgainLater {
            return;
        }
        let answered = async {
            loop {
                match self.socket.recv().await {
                    Some(Ok(_)) => {}
                    // The rest of such a frame cannot be read, but the client can still read the close frame.
                    Some(Err(error)) if is_oversize(&error) || broken(&error).is_some() => {
                        sleep_until(until).await;
                    }
                    Some(Err(_)) | None => return,
                }
            }
        };
        tokio::time::timeout_at(until, answered).await.ok();
    }
}

fn linger(ending: Ending) -> Duration {
    if ending == Ending::Close(CloseReason::TryAgainLater) { LINGER_WHEN_SHORT } else { LINGER }
}

async fn in_time(step: impl Future<Output = Result<(), axum::Error>>) -> Result<(), LinkEnd> {
    match timeout(SEND_TIMEOUT, step).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(LinkEnd::Gone),
        Err(_) => Err(LinkEnd::Close(CloseReason::SendTimedOut)),
    }
}

fn is_oversize(error: &axum::Error) -> bool {
    matches!(cause(error), Some(tungstenite::Error::Capacity(_)))
}

/// Returns the reason to close a socket on which nothing more can be read; `None` if the client is gone.
fn broken(error: &axum::Error) -> Option<CloseReason> {
    match cause(error)? {
        tungstenite::Error::Utf8(_) => Some(CloseReason::NotUtf8),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some(CloseReason::Protocol),
        _ => None,
    }
}

fn cause(error: &axum::Error) -> Option<&tungstenite::Error> {
    std::error::Error::source(error)?.downcast_ref()
}
