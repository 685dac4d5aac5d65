//! `/socket`: who may open one, and how much of it is kept in memory.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use shared::{ErrorCode, endpoint};

use crate::http::{Answer, ApiError, AppState, ClientIp, socket};
use crate::limits::Limits;
use crate::realtime::{Session, Visitor};

/// The library's defaults keep 128 KiB for each socket; most sockets are idle.
const BUFFER_BYTES: usize = 4_096;
/// Replies to pings that nobody reads must not pile up.
const REPLY_BYTES_MAX: usize = 128 * 1_024;
/// A frame up to this many times the limit is read to its end, so that its sender can still read why it was refused.
const OVERSIZE_FACTOR: usize = 2;

/// Opens a socket for whoever is signed in.
pub async fn open(
    State(app): State<AppState>,
    visitor: Visitor,
    from: ClientIp,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Answer<WebSocketUpgrade>, ApiError> {
    let counted = app.admit_reader(from)?;
    let upgrade = upgrade.map_err(|rejection| {
        let detail = format!("this address is a WebSocket: {}", rejection.body_text());
        ApiError::new(ErrorCode::UpgradeRequired, detail)
    })?;
    let upgrade = bounded(upgrade, &app.limits).protocols([endpoint::SUBPROTOCOL]);
    Ok(Answer::of(upgrade.on_upgrade(move |socket| async move {
        let session = Session::open(&app.node, visitor.clone());
        if let Some(ending) = app.no_longer_welcome(&visitor).await {
            session.outbox().end(ending);
        }
        socket::run(socket, &app, session).await;
        drop(counted);
    })))
}

/// Gives a socket small buffers, and bounds for what it reads and for what waits to be written: whatever the outbox
/// may hold fits.
pub fn bounded(upgrade: WebSocketUpgrade, limits: &Limits) -> WebSocketUpgrade {
    let read_bytes_max = (limits.frame_bytes_max as usize).saturating_mul(OVERSIZE_FACTOR);
    upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(REPLY_BYTES_MAX.saturating_add(limits.outbox_bytes_max as usize))
        .max_message_size(read_bytes_max)
        .max_frame_size(read_bytes_max)
}
