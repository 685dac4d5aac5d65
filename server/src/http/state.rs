//! `AppState`: what every handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::{CloseReason, ErrorCode, Identity, Millis, Problem};

use crate::http::rates::Counted;
use crate::http::{ApiError, Budget, ClientIp, Meters, Origins, Pages, Proxies, Rates, Refusal, Turns};
use crate::limits::Limits;
use crate::memory::Memory;
use crate::people::{People, PeopleError, TokenHash};
use crate::realtime::{Ending, Node, Visitor};

/// A sign-in that is not renewed for so long ends: 400 days, for which browsers keep its cookie.
pub const SIGN_IN_MS_MAX: Millis = 400 * DAY_MS;
/// One day.
pub const DAY_MS: Millis = 24 * 60 * 60 * 1_000;
/// When a reader that came while the node went away may try again.
const COME_BACK_MS: u64 = 1_000;
/// When to ask again for a place among so many: one is free once somebody leaves.
const PLACE_MS: u64 = 10_000;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// What the state is made of.
pub struct Parts {
    /// The realtime core.
    pub node: Arc<Node>,
    /// Who is signed in.
    pub people: Arc<dyn People>,
    /// Which hosts and origins are welcome.
    pub origins: Origins,
    /// The proxies in front of the node.
    pub proxies: Proxies,
    /// The client that is served.
    pub pages: Pages,
    /// The rates of people and addresses.
    pub rates: Rates,
    /// The memory that requests under way may take.
    pub budget: Budget,
    /// The node's memory.
    pub memory: Memory,
    /// Who reads a page now, and who is next.
    pub turns: Turns,
    /// What is counted.
    pub meters: Meters,
    /// The limits.
    pub limits: Limits,
    /// The time now.
    pub clock: fn() -> Millis,
    /// Whether the node is going away, and wants no new clients.
    pub leaving: AtomicBool,
    /// Whether it sends those away that are there.
    pub draining: AtomicBool,
    /// What carries the requests.
    pub transport: Transport,
    /// The port that the node listens on.
    pub port: u16,
    /// Fails with one line when the node's hold on its data folder is gone.
    pub in_place: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// What carries the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Nothing is encrypted here.
    Plain,
    /// TLS with a certificate for this machine only: no promise is made for the future of its name.
    LocalTls,
    /// TLS for good.
    Tls,
}

impl Transport {
    /// Whether cookies may be kept to TLS.
    pub fn is_secure(self) -> bool {
        self != Transport::Plain
    }
}

impl AppState {
    /// Shares the parts.
    pub fn new(parts: Parts) -> AppState {
        AppState(Arc::new(parts))
    }

    /// From now on the node is not ready, so that a load balancer sends new clients elsewhere.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// From now on no new socket is opened.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Counts one more socket, stream or waiting poll, for as long as the answer is kept; or says why it must not
    /// be opened.
    pub fn admit_reader(&self, ClientIp(from): ClientIp) -> Result<Counted, ApiError> {
        if self.is_draining() || self.node.sessions_open() >= self.limits.node_sockets_max as usize {
            self.meters.refused(Refusal::NodeSockets);
            let detail = "the server accepts no more sockets and streams at the moment; try again later";
            let come_back_ms = if self.is_draining() { COME_BACK_MS } else { PLACE_MS };
            return Err(Problem::new(ErrorCode::Unavailable, detail).retry_after_ms(come_back_ms).into());
        }
        if self.memory.is_tight() {
            return self.rates.readers.open_unless_crowded(from, None).ok_or_else(|| {
                self.meters.refused(Refusal::Memory);
                let detail =
                    "the server is short of memory, and many are here from your address; try again later";
                Problem::new(ErrorCode::Unavailable, detail).retry_after_ms(PLACE_MS).into()
            });
        }
        self.rates.readers.open(from).ok_or_else(|| {
            self.meters.refused(Refusal::AddressReaders);
            let detail = "too many open sockets and streams from this address; close one first";
            Problem::new(ErrorCode::TooMany, detail).retry_after_ms(PLACE_MS).into()
        })
    }

    /// What changed between the checks of a request and the moment from which its session hears of such things.
    pub async fn no_longer_welcome(&self, visitor: &Visitor) -> Option<Ending> {
        if self.is_draining() {
            return Some(Ending::Drain { reconnect_after_ms: COME_BACK_MS });
        }
        match self.signed_in(visitor.sign_in.0).await {
            Ok(None) => Some(Ending::Close(CloseReason::IdentityEnded)),
            Ok(Some((now, _))) if now.name != visitor.identity.name => {
                self.node.rename(&now.id, &now.name);
                None
            }
            // A people's database that cannot be read ends nobody's session.
            Ok(Some(_)) | Err(_) => None,
        }
    }

    /// Who is signed in under that token, and when it was last renewed.
    pub async fn signed_in(&self, token: TokenHash) -> Result<Option<(Identity, Millis)>, PeopleError> {
        let found = self.people.find(token).await?;
        Ok(found.filter(|(_, renewed_at)| *renewed_at >= self.renewed_since()))
    }

    /// When a sign-in that is still good was renewed, at the earliest.
    pub fn renewed_since(&self) -> Millis {
        (self.clock)() - SIGN_IN_MS_MAX
    }

    /// Whether the node is going away.
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Whether those who are there are sent away.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
