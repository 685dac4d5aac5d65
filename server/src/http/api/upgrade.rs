//! `/socket`: the checks before a WebSocket, and the bounds of its buffers.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use contract::Answer;
use realtime::Session;
use shared::{ErrorCode, endpoint};

use crate::http::api::socket;
use crate::http::error::ApiError;
use crate::http::guard::client_ip::ClientIp;
use crate::http::signed_in::SignedIn;
use crate::http::state::AppState;
use crate::limits::Limits;

/// Bytes of each buffer. The library's defaults keep 128 KiB for each socket, and most sockets are idle.
const BUFFER_BYTES: usize = 4_096;
/// Bytes of pongs that wait to be written: pings of a client that reads nothing must not pile up.
const REPLY_BYTES_MAX: usize = 128 * 1_024;
/// A frame up to this many times the limit is read to its end, so that its sender can still be told the reason.
const OVERSIZE_FACTOR: usize = 2;

/// Opens a socket for a signed-in person.
pub async fn open(
    State(app): State<AppState>,
    SignedIn(visitor): SignedIn,
    from: ClientIp,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Answer<WebSocketUpgrade>, ApiError> {
    let slot = app.admit_reader(from)?;
    let upgrade = upgrade.map_err(|rejection| {
        let detail = format!("this address is a WebSocket: {}", rejection.body_text());
        ApiError::new(ErrorCode::UpgradeRequired, detail)
    })?;
    let upgrade = bounded(upgrade, &app.limits).protocols([endpoint::SUBPROTOCOL]);
    Ok(Answer::of(upgrade.on_upgrade(move |socket| async move {
        let session = Session::open(&app.node, visitor.clone());
        if let Some(ending) = app.recheck_visitor(&visitor).await {
            session.mailbox().end(ending);
        }
        socket::run(socket, &app, session).await;
        drop(slot);
    })))
}

/// Gives a socket small buffers, and bounds for frames to read and for bytes to write. The whole of a mailbox fits.
pub fn bounded(upgrade: WebSocketUpgrade, limits: &Limits) -> WebSocketUpgrade {
    let read_bytes_max = (limits.frame_bytes_max as usize).saturating_mul(OVERSIZE_FACTOR);
    upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(REPLY_BYTES_MAX.saturating_add(limits.mailbox_bytes_max as usize))
        .max_message_size(read_bytes_max)
        .max_frame_size(read_bytes_max)
}
