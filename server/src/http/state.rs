//! `AppState`: everything that a handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::FromRef;
use realtime::{Ending, Node, SignInId, Visitor};
use shared::{CloseReason, ErrorCode, Identity, Millis, Problem};

use crate::accounts::{Accounts, AccountsError, SIGN_IN_MS_MAX};
use crate::http::client_files::ClientFiles;
use crate::http::error::ApiError;
use crate::http::guard::budget::Budget;
use crate::http::guard::client_ip::{ClientIp, Proxies};
use crate::http::guard::origin::Origins;
use crate::http::guard::page_turns::PageTurns;
use crate::http::guard::rates::{AddressSlot, Rates};
use crate::limits::Limits;
use crate::memory::Memory;
use crate::net::Transport;
use crate::telemetry::edge_metrics::{EdgeMetrics, Refusal};

/// The delay before a reader that arrives during a drain may try again.
const RECONNECT_AFTER_MS: u64 = 1_000;
/// The delay before asking again for a place that is freed only when somebody leaves.
const PLACE_RETRY_MS: u64 = 10_000;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<AppParts>);

/// The parts of the state.
pub struct AppParts {
    /// The engine.
    pub node: Arc<Node>,
    /// Accounts and sign-ins.
    pub accounts: Arc<dyn Accounts>,
    /// The hosts and origins that are allowed.
    pub origins: Arc<Origins>,
    /// The trusted proxies in front of the node.
    pub proxies: Proxies,
    /// The client that is served.
    pub client_files: Arc<ClientFiles>,
    /// The rates of people and addresses.
    pub rates: Rates,
    /// The memory that requests under way may take.
    pub budget: Budget,
    /// The node's memory.
    pub memory: Memory,
    /// The turns of those who read pages.
    pub page_turns: PageTurns,
    /// The metrics of the edge.
    pub metrics: EdgeMetrics,
    /// The limits.
    pub limits: Limits,
    /// The wall clock.
    pub clock: fn() -> Millis,
    /// True once the node wants no new clients.
    pub leaving: AtomicBool,
    /// True once the node sends its clients away.
    pub draining: AtomicBool,
    /// The encryption of connections.
    pub transport: Transport,
    /// The port that the node listens on.
    pub port: u16,
    /// Fails with one line once the node has lost a lock of its data.
    pub check_locks: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl AppState {
    /// Shares the parts.
    pub fn new(parts: AppParts) -> AppState {
        AppState(Arc::new(parts))
    }

    /// Makes the node not ready, so that a load balancer sends new clients elsewhere.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Refuses new sockets from now on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Counts one more socket, stream or waiting poll, for as long as the slot is kept. Fails if there may be no more.
    pub fn admit_reader(&self, ClientIp(from): ClientIp) -> Result<AddressSlot, ApiError> {
        if self.is_draining() || self.node.sessions_open() >= self.limits.node_sockets_max as usize {
            self.metrics.refused(Refusal::NodeSockets);
            let detail = "the server accepts no more sockets and streams at the moment; try again later";
            let retry_ms = if self.is_draining() { RECONNECT_AFTER_MS } else { PLACE_RETRY_MS };
            return Err(Problem::new(ErrorCode::Unavailable, detail).retry_after_ms(retry_ms).into());
        }
        if self.memory.is_tight() {
            return self.rates.readers.open_unless_crowded(from, None).ok_or_else(|| {
                self.metrics.refused(Refusal::Memory);
                let detail =
                    "the server is short of memory, and many are here from your address; try again later";
                Problem::new(ErrorCode::Unavailable, detail).retry_after_ms(PLACE_RETRY_MS).into()
            });
        }
        self.rates.readers.open(from).ok_or_else(|| {
            self.metrics.refused(Refusal::AddressReaders);
            let detail = "too many open sockets and streams from this address; close one first";
            Problem::new(ErrorCode::TooMany, detail).retry_after_ms(PLACE_RETRY_MS).into()
        })
    }

    /// Checks a visitor again once their session exists. A drain, a sign-out or a rename between the checks of the request
    /// and that moment would otherwise miss the session.
    pub async fn recheck_visitor(&self, visitor: &Visitor) -> Option<Ending> {
        if self.is_draining() {
            return Some(Ending::Drain { reconnect_after_ms: RECONNECT_AFTER_MS });
        }
        match self.signed_in(visitor.sign_in).await {
            Ok(None) => Some(Ending::Close(CloseReason::IdentityEnded)),
            Ok(Some((now, _))) if now.name != visitor.identity.name => {
                self.node.rename(&now.id, &now.name);
                None
            }
            // Accounts that cannot be read end nobody's session.
            Ok(Some(_)) | Err(_) => None,
        }
    }

    /// Returns the person of a sign-in that has not ended, and the time of its last renewal.
    pub async fn signed_in(&self, sign_in: SignInId) -> Result<Option<(Identity, Millis)>, AccountsError> {
        let found = self.accounts.find(sign_in).await?;
        Ok(found.filter(|(_, renewed_at)| *renewed_at >= self.renewed_since()))
    }

    /// Returns the time since which a sign-in must have been renewed.
    pub fn renewed_since(&self) -> Millis {
        (self.clock)() - SIGN_IN_MS_MAX
    }

    /// True once the node wants no new clients.
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// True once the node sends its clients away.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl Deref for AppState {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// Lets a guard or a layer take a single part, so that it need not know the whole state.
macro_rules! parts {
    ($($part:ident: $type:ty),*) => {$(
        impl FromRef<AppState> for $type {
            fn from_ref(state: &AppState) -> $type {
                state.$part.clone()
            }
        }
    )*};
}

parts! {
    budget: Budget,
    client_files: Arc<ClientFiles>,
    metrics: EdgeMetrics,
    origins: Arc<Origins>,
    proxies: Proxies,
    transport: Transport
}
