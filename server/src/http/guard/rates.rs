//! The limits of one person and of one address: rates over time, and tallies of what is open at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use shared::{ErrorCode, Problem, UserId};
use tokio_util::sync::CancellationToken;

use crate::http::error::ApiError;
use crate::limits::Limits;

/// Sockets, streams and waiting polls that a few people at one address have. An address with more is a crowd, which is
/// refused and sent away first when memory is short.
pub(super) const FEW_READERS: u32 = 16;
/// Connections without a reader that a few people at one address have. More than [`FEW_READERS`], so that a refused client
/// has a connection left on which it is told so.
pub(super) const FEW_CONNECTIONS: u32 = 2 * FEW_READERS;

/// The burst of publishes, in seconds of their rate.
const PUBLISHES_BURST_SECS: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// The burst of new accounts, in minutes of their rate.
const ACCOUNTS_BURST_MINS: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// The rates of publishes and of new accounts, and the tally of readers.
pub struct Rates {
    publishes: DefaultKeyedRateLimiter<UserId>,
    accounts: DefaultKeyedRateLimiter<IpAddr>,
    publishes_per_sec: u32,
    accounts_per_min: u32,
    /// Sockets, streams and waiting polls by address.
    pub readers: Tally,
}

impl Rates {
    /// Creates the rates, with room for a burst.
    pub fn new(limits: &Limits) -> Rates {
        let publishes = limits.identity_publishes_per_sec;
        let accounts = limits.address_accounts_per_min;
        let publishes_burst = publishes.saturating_mul(PUBLISHES_BURST_SECS);
        let accounts_burst = accounts.saturating_mul(ACCOUNTS_BURST_MINS);
        Rates {
            publishes: RateLimiter::keyed(Quota::per_second(publishes).allow_burst(publishes_burst)),
            accounts: RateLimiter::keyed(Quota::per_minute(accounts).allow_burst(accounts_burst)),
            publishes_per_sec: publishes.get(),
            accounts_per_min: accounts.get(),
            readers: Tally::of_readers(limits),
        }
    }

    /// Counts a publish; the error says when the next one may come.
    pub fn publish(&self, who: &UserId) -> Result<(), ApiError> {
        let wait = |until: governor::NotUntil<_>| until.wait_time_from(DefaultClock::default().now());
        self.publishes.check_key(who).map_err(|until| {
            too_many(
                format!("too fast: at most {} publishes a second are accepted", self.publishes_per_sec),
                wait(until),
            )
        })
    }

    /// Counts a new account; the error says when the next one may come.
    pub fn account(&self, from: IpAddr) -> Result<(), ApiError> {
        let wait = |until: governor::NotUntil<_>| until.wait_time_from(DefaultClock::default().now());
        self.accounts.check_key(&network_of(from)).map_err(|until| {
            too_many(
                format!(
                    "at most {} new accounts a minute may be made from one address",
                    self.accounts_per_min
                ),
                wait(until),
            )
        })
    }

    /// Drops entries whose allowance is full again: a fresh one would be identical.
    pub fn drop_idle(&self) {
        self.publishes.retain_recent();
        self.accounts.retain_recent();
    }
}

fn too_many(detail: String, wait: std::time::Duration) -> ApiError {
    // Rounded up: whoever waits that long is let in.
    let millis = wait.as_millis() as u64 + 1;
    Problem::new(ErrorCode::TooMany, detail).retry_after_ms(millis).into()
}

/// Returns the network that counts as one address: an IPv4 address, or an IPv6 /64, which one subscriber is given.
pub fn network_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    }
}

/// The number of things that each address has open. Clones are the same tally.
#[derive(Clone)]
pub struct Tally {
    max: u32,
    /// An address with more is a crowd.
    few: u32,
    each: Arc<Mutex<HashMap<IpAddr, OpenCount>>>,
}

/// The open things of one address.
#[derive(Default)]
struct OpenCount {
    count: u32,
    /// Cancelled to end all of them.
    end: CancellationToken,
}

/// One open thing. Dropping it frees its place.
pub struct AddressSlot {
    from: IpAddr,
    tally: Tally,
    end: CancellationToken,
}

impl Tally {
    /// Creates the tally of sockets, streams and waiting polls.
    pub fn of_readers(limits: &Limits) -> Tally {
        Tally::new(limits.address_readers_max, FEW_READERS)
    }

    /// Creates the tally of connections.
    pub fn of_connections(limits: &Limits) -> Tally {
        Tally::new(limits.address_connections_max, FEW_CONNECTIONS)
    }

    fn new(max: u32, few: u32) -> Tally {
        Tally { max, few, each: Arc::default() }
    }

    /// Counts one more; `None` if the address has too many.
    pub fn open(&self, from: IpAddr) -> Option<AddressSlot> {
        self.open_of(from, self.max)
    }

    /// Counts one more; `None` if the address is a crowd. Things that `carried` counts already do not make it one: a
    /// connection that carries a socket counts once.
    pub fn open_unless_crowded(&self, from: IpAddr, carried: Option<&Tally>) -> Option<AddressSlot> {
        let carried = carried.map_or(0, |tally| tally.count(from));
        self.open_of(from, self.max.min(self.few.saturating_add(carried)))
    }

    fn open_of(&self, from: IpAddr, max: u32) -> Option<AddressSlot> {
        let from = network_of(from);
        let mut each = self.each.lock();
        let open = each.entry(from).or_default();
        if open.count >= max {
            return None;
        }
        open.count += 1;
        Some(AddressSlot { from, tally: self.clone(), end: open.end.clone() })
    }

    /// Returns the number of open things of each address.
    pub fn counts(&self) -> HashMap<IpAddr, usize> {
        self.each.lock().iter().map(|(from, open)| (*from, open.count as usize)).collect()
    }

    /// Ends everything that an address has open now. Things that it opens later stay.
    pub fn end(&self, from: IpAddr) {
        if let Some(open) = self.each.lock().get_mut(&from) {
            std::mem::take(&mut open.end).cancel();
        }
    }

    fn count(&self, from: IpAddr) -> u32 {
        self.each.lock().get(&network_of(from)).map_or(0, |open| open.count)
    }
}

impl AddressSlot {
    /// Returns a token that is cancelled when this thing must end because memory is short.
    pub fn end(&self) -> CancellationToken {
        self.end.clone()
    }
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        let mut each = self.tally.each.lock();
        if let Some(open) = each.get_mut(&self.from) {
            open.count -= 1;
            if open.count == 0 {
                each.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_has_a_maximum_and_a_dropped_slot_is_free_again() {
        let tally = Tally::new(2, 2);
        let home: IpAddr = "127.0.0.1".parse().unwrap();
        let (first, _second) = (tally.open(home), tally.open(home));
        assert!(first.is_some() && tally.open(home).is_none());
        drop(first);
        assert!(tally.open(home).is_some());
    }

    #[test]
    fn ending_an_address_ends_all_that_it_has_open_and_nothing_that_it_opens_later() {
        let tally = Tally::new(100, 3);
        let (home, office): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let (ours, theirs) = (tally.open(home).unwrap(), tally.open(office).unwrap());
        tally.end(office);
        let next = tally.open(office).unwrap();
        assert!(theirs.end().is_cancelled() && !next.end().is_cancelled() && !ours.end().is_cancelled());
        assert_eq!(tally.counts(), HashMap::from([(home, 1), (office, 2)]));
    }

    #[test]
    fn connections_that_carry_readers_do_not_make_a_crowd() {
        let (readers, connections) = (Tally::new(100, 2), Tally::new(100, 3));
        let office: IpAddr = [192, 0, 2, 2].into();
        let _carrying: Vec<_> =
            (0..10).map(|_| (readers.open(office).unwrap(), connections.open(office).unwrap())).collect();
        let few: Vec<_> =
            (0..3).map_while(|_| connections.open_unless_crowded(office, Some(&readers))).collect();
        assert_eq!(few.len(), 3);
        assert!(connections.open_unless_crowded(office, Some(&readers)).is_none());
        assert!(readers.open_unless_crowded(office, None).is_none());
    }

    #[test]
    fn one_ipv6_subscriber_is_one_address() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    }
}
