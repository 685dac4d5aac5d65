//! The loop between a WebSocket and its session.
//!
//! The loop knows sockets and nothing of the protocol; the session knows the protocol and no socket. It writes all
//! that waits before one flush, since nearly all the cost of a push is the call that writes it.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use shared::{CloseReason, ServerFrame};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use crate::http::{AppState, There};
use crate::realtime::{Ending, Outbox, Session, encode};

/// A socket that takes nothing for this long is closed.
const TOOK_NOTHING: Duration = Duration::from_secs(30);
/// How long the other side has to answer a close.
const LINGER: Duration = Duration::from_secs(1);
/// The same where memory is short.
const LINGER_WHEN_SHORT: Duration = Duration::from_millis(50);
/// Pings without a sign of life before the socket is given up.
const PINGS_MAX: u32 = 2;
/// The time to answer the last of them. A live client has had the whole period of the first one before.
const LAST_CHANCE: Duration = Duration::from_secs(5);

/// Serves a socket until one of the two sides ends it.
pub async fn run(socket: WebSocket, app: &AppState, session: Session) {
    Wire::new(socket, app).run(session).await;
}

/// One WebSocket, as the loop sees it.
struct Wire {
    socket: WebSocket,
    frame_bytes_max: usize,
    frames: DefaultDirectRateLimiter,
    /// Not read before this time: the client was faster than its rate.
    paused_until: Option<Instant>,
    heartbeat: Interval,
    /// Pings written since the last sign of life.
    pings: u32,
    app: AppState,
}

/// Why the loop ends.
enum End {
    /// Tell the other side why.
    Close(CloseReason),
    /// There is no other side any more.
    Gone,
}

impl Wire {
    fn new(socket: WebSocket, app: &AppState) -> Wire {
        let rate = NonZeroU32::new(app.limits.session_frames_per_sec).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(rate.get().saturating_mul(4)).unwrap_or(rate);
        let period = Duration::from_secs(app.limits.heartbeat_secs.into());
        let mut heartbeat = interval_at(Instant::now() + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Wire {
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
        let _there = There::enter(&self.app.meters.sockets_open);
        match self.serve(&mut session).await {
            End::Close(reason) => self.close(reason).await,
            End::Gone => {}
        }
    }

    /// Until one side ends it. Nothing is read while the answers to what was read before do not fit.
    async fn serve(&mut self, session: &mut Session) -> End {
        let outbox = session.outbox().clone();
        loop {
            let batch = outbox.take();
            self.app.meters.taken(batch.frames.len());
            if let Err(end) = self.write_until_ended(batch.frames, &outbox).await {
                return end;
            }
            if let Some(ending) = batch.ending {
                return self.farewell(ending).await;
            }
            session.catch_up();
            let may_read = outbox.has_room() && self.paused_until.is_none();
            let paused_until = self.paused_until.unwrap_or_else(Instant::now);
            // Fair on purpose: a busy topic must not keep the node from reading, nor the other way round.
            let ended = tokio::select! {
                () = outbox.filled() => Ok(()),
                _ = self.heartbeat.tick() => self.beat().await,
                () = sleep_until(paused_until), if self.paused_until.is_some() => {
                    self.paused_until = None;
                    // The frame that was too early takes the place that has become free.
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

    async fn farewell(&mut self, ending: Ending) -> End {
        match ending {
            Ending::Close(reason) => End::Close(reason),
            Ending::Drain { reconnect_after_ms } => {
                let drain = encode(&ServerFrame::Drain { reconnect_after_ms });
                self.write(vec![drain]).await.err().unwrap_or(End::Close(CloseReason::ServiceRestart))
            }
        }
    }

    async fn read(
        &mut self,
        received: Option<Result<Message, axum::Error>>,
        session: &mut Session,
    ) -> Result<(), End> {
        let message = match received {
            Some(Ok(message)) => message,
            Some(Err(error)) if is_oversize(&error) => {
                session.on_unacceptable(CloseReason::TooLarge);
                return Ok(());
            }
            Some(Err(error)) => return Err(broken(&error).map_or(End::Gone, End::Close)),
            None => return Err(End::Gone),
        };
        if let Message::Text(text) = &message {
            // Only a frame of the protocol is a sign of life: a ping may come in the midst of a message without an end.
            if self.pings >= PINGS_MAX {
                self.heartbeat.reset();
            }
            self.pings = 0;
            self.app.meters.frame_in(text.len());
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
                // The library has the answer ready, and writes it with the next flush.
                in_time(self.socket.flush()).await?;
                return Err(End::Gone);
            }
        }
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), End> {
        if self.pings >= PINGS_MAX {
            return Err(End::Close(CloseReason::HeartbeatMissed));
        }
        self.pings += 1;
        self.write(vec![encode(&ServerFrame::Ping { at: (self.app.clock)() })]).await?;
        if self.pings >= PINGS_MAX {
            self.heartbeat.reset_after(self.heartbeat.period().min(LAST_CHANCE));
        }
        Ok(())
    }

    /// Writes the frames, unless the other side takes nothing of them and is sent away meanwhile: then it has a moment.
    async fn write_until_ended(&mut self, frames: Vec<Bytes>, outbox: &Outbox) -> Result<(), End> {
        let ended = async {
            let ending = outbox.ended().await;
            sleep(linger(ending)).await;
            ending
        };
        tokio::select! {
            biased;
            written = self.write(frames) => written,
            ending = ended => Err(End::Close(match ending {
                Ending::Close(reason) => reason,
                Ending::Drain { .. } => CloseReason::ServiceRestart,
            })),
        }
    }

    /// Writes the frames before one flush. Each step has its own deadline: slow is fine, stuck is not.
    async fn write(&mut self, frames: Vec<Bytes>) -> Result<(), End> {
        if frames.is_empty() {
            return Ok(());
        }
        self.app.meters.frames_out(&frames);
        for frame in frames {
            let text = Utf8Bytes::try_from(frame).expect("serde_json writes UTF-8");
            in_time(self.socket.feed(Message::Text(text))).await?;
        }
        in_time(self.socket.flush()).await
    }

    /// Says why, and gives the other side a moment to read it: closing a socket with unread input at once would
    /// make the kernel throw away what was written.
    async fn close(&mut self, reason: CloseReason) {
        let frame = CloseFrame { code: reason.code(), reason: reason.text().into() };
        let until = Instant::now() + linger(Ending::Close(reason));
        let sent = tokio::time::timeout_at(until, self.socket.send(Message::Close(Some(frame)))).await;
        // What is read on the way takes memory, of which there is none.
        if !matches!(sent, Ok(Ok(()))) || reason == CloseReason::TryAgainLater {
            return;
        }
        let answered = async {
            loop {
                match self.socket.recv().await {
                    Some(Ok(_)) => {}
                    // What is left of such a frame cannot be read, and the other side still can.
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

async fn in_time(step: impl Future<Output = Result<(), axum::Error>>) -> Result<(), End> {
    match timeout(TOOK_NOTHING, step).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Close(CloseReason::TookNothing)),
    }
}

fn is_oversize(error: &axum::Error) -> bool {
    matches!(cause(error), Some(tungstenite::Error::Capacity(_)))
}

/// Why a socket must end on which nothing that was sent can be read any more; nothing when there is no other side.
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
