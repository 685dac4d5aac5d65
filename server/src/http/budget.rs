//! `Budget`: the memory that requests under way may take, by address and for the node.
//!
//! A request costs memory for as long as its answer has not left, and whoever asks decides how long that is: they may
//! send a body without end, or ask for pages and read none. Each takes its share here before it costs anything.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::ACCEPT_ENCODING;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use shared::{ErrorCode, Problem};

use crate::http::rates::address;
use crate::http::{ApiError, AppState, ClientIp, Refusal};

/// A request takes as much by itself: its head, its handler, its place on the connection.
const REQUEST_BYTES: usize = 8 * 1_024;
/// Held by a coder from an answer's first byte to its last.
const CODER_BYTES: usize = 256 * 1_024;
/// Smaller answers are not compressed: a packet takes them as they are.
pub const COMPRESSED_FROM_BYTES: u64 = 1_024;
/// Smaller parts of an answer are no longer counted once the library has them.
const SMALL_BYTES: usize = 4 * 1_024;
/// An address may take as much though all others have used the node's room up.
const ALWAYS_BYTES: usize = 80 * 1_024;
/// When to ask again: answers leave within moments, unless nobody reads them.
const ASK_AGAIN_MS: u64 = 1_000;

/// The bytes that requests have taken. Clones are the same.
#[derive(Clone)]
pub struct Budget(Arc<Parts>);

struct Parts {
    address_max: usize,
    node_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// Bytes of an address, until it is dropped.
pub struct Share {
    budget: Budget,
    from: IpAddr,
    bytes: usize,
}

/// The bound that leaves no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// The one of an address.
    Address,
    /// The one of the node.
    Node,
}

impl Budget {
    /// Room for so many bytes of each address, and of all together.
    pub fn new(address_max: usize, node_max: usize) -> Budget {
        Budget(Arc::new(Parts { address_max, node_max, taken: Mutex::default() }))
    }

    /// The bytes that are taken now, and the most that can be.
    pub fn taken_and_max(&self) -> (usize, usize) {
        (self.lock().all, self.0.node_max)
    }

    /// Takes so many bytes for an address, where they fit.
    pub fn take(&self, from: ClientIp, bytes: usize) -> Result<Share, Exhausted> {
        let from = address(from.0);
        let mut taken = self.lock();
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

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().expect("no code panics while it holds this lock")
    }
}

impl Taken {
    fn add(&mut self, from: IpAddr, bytes: usize) {
        self.all += bytes;
        *self.each.entry(from).or_default() += bytes;
    }
}

impl Share {
    /// Another share of the same address, of bytes that are there already, whether or not they fit.
    fn beside(&self, bytes: usize) -> Share {
        self.budget.lock().add(self.from, bytes);
        Share { budget: self.budget.clone(), from: self.from, bytes }
    }

    /// Adds bytes that are there already, whether or not they fit.
    fn grow(&mut self, bytes: usize) {
        self.budget.lock().add(self.from, bytes);
        self.bytes += bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.budget.lock();
        taken.all -= self.bytes;
        if let Some(own) = taken.each.get_mut(&self.from) {
            *own -= self.bytes;
            if *own == 0 {
                taken.each.remove(&self.from);
            }
        }
    }
}

impl AppState {
    /// Says why an address may take nothing more, if so.
    pub fn has_room(&self, from: ClientIp) -> Result<(), ApiError> {
        self.take_bytes(from, 0).map(drop)
    }

    /// Takes so many bytes for an address, or says why not.
    pub fn take_bytes(&self, from: ClientIp, bytes: usize) -> Result<Share, ApiError> {
        self.budget.take(from, bytes).map_err(|exhausted| {
            let (refusal, code, detail) = match exhausted {
                Exhausted::Address => (
                    Refusal::AddressBytes,
                    ErrorCode::TooMany,
                    "too much from this address is under way at once; read the answers first",
                ),
                Exhausted::Node => (
                    Refusal::NodeBytes,
                    ErrorCode::Unavailable,
                    "the server is too busy to take more at once; try again",
                ),
            };
            self.meters.refused(refusal);
            Problem::new(code, detail).retry_after_ms(ASK_AGAIN_MS).into()
        })
    }
}

/// Takes a share for each request, which grows by its answer and is given back once the last byte of it has left.
pub async fn hold(State(app): State<AppState>, from: ClientIp, request: Request, next: Next) -> Response {
    let mut share = match app.take_bytes(from, REQUEST_BYTES) {
        Ok(share) => share,
        Err(error) => return error.into_response(),
    };
    let is_coded = request.headers().contains_key(ACCEPT_ENCODING);
    next.run(request).await.map(|body| {
        let size = HttpBody::size_hint(&body).exact();
        let bytes = size.unwrap_or_default();
        let coder = if is_coded && bytes >= COMPRESSED_FROM_BYTES { CODER_BYTES } else { 0 };
        share.grow(bytes as usize + coder);
        Body::new(Held { body, share: Arc::new(share), is_stream: size.is_none() })
    })
}

/// A body whose parts hold the share too, as they wait in queues of libraries when the body itself is over.
struct Held {
    body: Body,
    share: Arc<Share>,
    /// True where nobody knows the size: each part takes a share of its own.
    is_stream: bool,
}

struct Part {
    data: Bytes,
    _shares: (Arc<Share>, Option<Share>),
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let held = |data: Bytes| {
            if !self.is_stream && data.len() < SMALL_BYTES {
                return data;
            }
            let own = self.is_stream.then(|| self.share.beside(data.len()));
            Bytes::from_owner(Part { data, _shares: (self.share.clone(), own) })
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(held))))
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
        let budget = Budget::new(part, part + rest);
        let first = budget.take(ADA, part).ok().unwrap();
        assert_eq!(budget.take(ADA, 1).err(), Some(Exhausted::Address));
        let mut second = budget.take(GRACE, rest).ok().unwrap();
        assert_eq!(budget.take(GRACE, 1).err(), Some(Exhausted::Node));
        assert!(budget.take(JOAN, ALWAYS_BYTES).is_ok(), "a little is always left for others");
        assert_eq!(budget.take(JOAN, ALWAYS_BYTES + 1).err(), Some(Exhausted::Node));
        drop(first);
        second.grow(part);
        assert_eq!(budget.take(GRACE, 1).err(), Some(Exhausted::Address), "what has grown counts");
        drop(second);
        assert!(budget.lock().each.is_empty() && budget.lock().all == 0);
    }

    #[tokio::test]
    async fn a_part_of_a_body_holds_the_share_when_the_body_is_over() {
        let budget = Budget::new(100, 100);
        let share = Arc::new(budget.take(ADA, 100).ok().unwrap());
        let mut held = Held { body: Body::from(vec![b'x'; SMALL_BYTES]), share, is_stream: false };
        let frame = http_body_util::BodyExt::frame(&mut held).await.unwrap().unwrap();
        drop(held);
        assert_eq!(budget.take(ADA, 1).err(), Some(Exhausted::Address));
        assert_eq!(frame.into_data().unwrap().len(), SMALL_BYTES);
        assert!(budget.take(ADA, 100).is_ok());
    }
}
