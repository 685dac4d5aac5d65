//! `Budget`: the memory that requests under way may take, by address and for the node.
//!
//! A request costs memory until its answer has left, and its caller decides how long that is: a caller may send a body
//! without end, or ask for pages and read none. Each request takes its share here before it costs anything.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::ACCEPT_ENCODING;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use shared::{ErrorCode, Problem};

use crate::http::error::ApiError;
use crate::http::guard::client_ip::ClientIp;
use crate::http::guard::rates::network_of;
use crate::telemetry::edge_metrics::{EdgeMetrics, Refusal};

/// The bytes of a request by itself: its head, its handler, its place on the connection.
const REQUEST_BYTES: usize = 8 * 1_024;
/// The bytes that a compressor holds from an answer's first byte to its last.
const COMPRESSOR_BYTES: usize = 256 * 1_024;
/// Smaller answers are not compressed, because they fit in one packet anyway.
pub const COMPRESSED_FROM_BYTES: u64 = 1_024;
/// Smaller chunks of an answer are no longer counted once the library has them.
const SMALL_BYTES: usize = 4 * 1_024;
/// The bytes that an address may take even if the others have used up the node's budget.
const ALWAYS_BYTES: usize = 80 * 1_024;
/// The time after which to try again: answers leave within moments, unless nobody reads them.
const RETRY_AFTER_MS: u64 = 1_000;

/// The bytes that requests have taken. Clones are the same budget.
#[derive(Clone)]
pub struct Budget(Arc<Shares>);

struct Shares {
    address_max: usize,
    node_max: usize,
    taken: Mutex<TakenBytes>,
    metrics: EdgeMetrics,
}

#[derive(Default)]
struct TakenBytes {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// Bytes that an address has taken. Dropping it gives them back.
pub struct Share {
    budget: Budget,
    from: IpAddr,
    bytes: usize,
}

/// The bound that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exhausted {
    /// The bound of an address.
    Address,
    /// The bound of the node.
    Node,
}

impl Budget {
    /// Creates a budget with these bounds in bytes. Refusals are counted in `metrics`.
    pub fn new(address_max: usize, node_max: usize, metrics: EdgeMetrics) -> Budget {
        Budget(Arc::new(Shares { address_max, node_max, taken: Mutex::default(), metrics }))
    }

    /// Returns the bytes that are taken now, and the bound of the node.
    pub fn taken_and_max(&self) -> (usize, usize) {
        (self.0.taken.lock().all, self.0.node_max)
    }

    /// Takes bytes for an address; the error is the problem that its client is told.
    pub fn take(&self, from: ClientIp, bytes: usize) -> Result<Share, ApiError> {
        self.try_take(from, bytes).map_err(|exhausted| {
            let (refusal, code, detail) = match exhausted {
                Exhausted::Address => (
                    Refusal::AddressBytes,
                    ErrorCode::TooMany,
                    "too many requests from this address are under way at once; read the answers first",
                ),
                Exhausted::Node => (
                    Refusal::NodeBytes,
                    ErrorCode::Unavailable,
                    "the server is too busy to take more at once; try again",
                ),
            };
            self.0.metrics.refused(refusal);
            Problem::new(code, detail).retry_after_ms(RETRY_AFTER_MS).into()
        })
    }

    /// Fails if an address may take nothing more.
    pub fn check(&self, from: ClientIp) -> Result<(), ApiError> {
        self.take(from, 0).map(drop)
    }

    fn try_take(&self, from: ClientIp, bytes: usize) -> Result<Share, Exhausted> {
        let from = network_of(from.0);
        let mut taken = self.0.taken.lock();
        let own = taken.each.get(&from).copied().unwrap_or_default();
        if own + bytes > self.0.address_max {
            return Err(Exhausted::Address);
        }
        if taken.all + bytes > self.0.node_max && own + bytes > ALWAYS_BYTES {
            return Err(Exhausted::Node);
        }
        taken.add(from, bytes);
        Ok(Share { budget: self.clone(), from, bytes })
    }
}

impl TakenBytes {
    fn add(&mut self, from: IpAddr, bytes: usize) {
        self.all += bytes;
        *self.each.entry(from).or_default() += bytes;
    }
}

impl Share {
    /// Takes another share for the same address, of bytes that exist already, even past the bounds.
    fn beside(&self, bytes: usize) -> Share {
        self.budget.0.taken.lock().add(self.from, bytes);
        Share { budget: self.budget.clone(), from: self.from, bytes }
    }

    /// Adds bytes that exist already, even past the bounds.
    fn grow(&mut self, bytes: usize) {
        self.budget.0.taken.lock().add(self.from, bytes);
        self.bytes += bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.budget.0.taken.lock();
        taken.all -= self.bytes;
        if let Some(own) = taken.each.get_mut(&self.from) {
            *own -= self.bytes;
            if *own == 0 {
                taken.each.remove(&self.from);
            }
        }
    }
}

/// Takes a share for each request. It grows by the answer, and is given back once the answer's last byte has left.
pub async fn hold(State(budget): State<Budget>, from: ClientIp, request: Request, next: Next) -> Response {
    let mut share = match budget.take(from, REQUEST_BYTES) {
        Ok(share) => share,
        Err(error) => return error.into_response(),
    };
    let may_compress = request.headers().contains_key(ACCEPT_ENCODING);
    next.run(request).await.map(|body| {
        let size = HttpBody::size_hint(&body).exact();
        let bytes = size.unwrap_or_default();
        let compressor = if may_compress && bytes >= COMPRESSED_FROM_BYTES { COMPRESSOR_BYTES } else { 0 };
        share.grow(bytes as usize + compressor);
        Body::new(CountedBody { body, share: Arc::new(share), is_stream: size.is_none() })
    })
}

/// A body whose chunks hold the share too, because they wait in the libraries' queues after the body itself has ended.
struct CountedBody {
    body: Body,
    share: Arc<Share>,
    /// True if nobody knows the size: each chunk takes a share of its own.
    is_stream: bool,
}

struct Chunk {
    data: Bytes,
    _shares: (Arc<Share>, Option<Share>),
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let chunk = |data: Bytes| {
            if !self.is_stream && data.len() < SMALL_BYTES {
                return data;
            }
            let own = self.is_stream.then(|| self.share.beside(data.len()));
            Bytes::from_owner(Chunk { data, _shares: (self.share.clone(), own) })
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: ClientIp = ClientIp(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const GRACE: ClientIp = ClientIp(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));
    const JOAN: ClientIp = ClientIp(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 3)));

    #[test]
    fn an_address_takes_its_part_and_all_take_theirs_and_what_is_dropped_is_free_again() {
        let (part, rest) = (2 * ALWAYS_BYTES, ALWAYS_BYTES + ALWAYS_BYTES / 2);
        let budget = Budget::new(part, part + rest, EdgeMetrics::default());
        let first = budget.try_take(ADA, part).ok().unwrap();
        assert_eq!(budget.try_take(ADA, 1).err(), Some(Exhausted::Address));
        let mut second = budget.try_take(GRACE, rest).ok().unwrap();
        assert_eq!(budget.try_take(GRACE, 1).err(), Some(Exhausted::Node));
        assert!(budget.try_take(JOAN, ALWAYS_BYTES).is_ok(), "a little is always left for others");
        assert_eq!(budget.try_take(JOAN, ALWAYS_BYTES + 1).err(), Some(Exhausted::Node));
        drop(first);
        second.grow(part);
        assert_eq!(budget.try_take(GRACE, 1).err(), Some(Exhausted::Address), "what has grown counts");
        drop(second);
        assert!(budget.0.taken.lock().each.is_empty() && budget.0.taken.lock().all == 0);
    }

    #[tokio::test]
    async fn a_part_of_a_body_holds_the_share_when_the_body_is_over() {
        let budget = Budget::new(100, 100, EdgeMetrics::default());
        let share = Arc::new(budget.try_take(ADA, 100).ok().unwrap());
        let mut counted = CountedBody { body: Body::from(vec![b'x'; SMALL_BYTES]), share, is_stream: false };
        let frame = http_body_util::BodyExt::frame(&mut counted).await.unwrap().unwrap();
        drop(counted);
        assert_eq!(budget.try_take(ADA, 1).err(), Some(Exhausted::Address));
        assert_eq!(frame.into_data().unwrap().len(), SMALL_BYTES);
        assert!(budget.try_take(ADA, 100).is_ok());
    }
}
