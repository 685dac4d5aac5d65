//! How much one person or one address may ask for: rates over time, and tallies of what is open at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use shared::{ErrorCode, Problem, UserId};
use tokio_util::sync::CancellationToken;

use crate::http::ApiError;
use crate::limits::Limits;

/// Sockets, streams and waiting polls that a few people have at one address: more are a crowd when memory is short.
pub(super) const FEW_READERS: u32 = 16;
/// The same of connections that carry none of these: more, so that there is one over which whoever belongs to a crowd is
/// told so.
pub(super) const FEW_CONNECTIONS: u32 = 2 * FEW_READERS;

/// See the module.
pub struct Rates {
    publishes: DefaultKeyedRateLimiter<UserId>,
    guests: DefaultKeyedRateLimiter<IpAddr>,
    publishes_per_sec: u32,
    guests_per_min: u32,
    /// Sockets, streams and waiting polls by address.
    pub readers: Tally,
}

impl Rates {
    /// The rates of protocol and table: publishes have a burst of five seconds, guests of two minutes.
    pub fn new(limits: &Limits) -> Rates {
        let publishes = at_least_one(limits.identity_publishes_per_sec);
        let guests = at_least_one(limits.address_guests_per_min);
        let burst = |rate: NonZeroU32, times: u32| at_least_one(rate.get().saturating_mul(times));
        Rates {
            publishes: RateLimiter::keyed(Quota::per_second(publishes).allow_burst(burst(publishes, 5))),
            guests: RateLimiter::keyed(Quota::per_minute(guests).allow_burst(burst(guests, 2))),
            publishes_per_sec: publishes.get(),
            guests_per_min: guests.get(),
            readers: Tally::of_readers(limits),
        }
    }

    /// Counts a publish, or says when the next one may come.
    pub fn publish(&self, who: &UserId) -> Result<(), ApiError> {
        let wait = |until: governor::NotUntil<_>| until.wait_time_from(DefaultClock::default().now());
        self.publishes.check_key(who).map_err(|until| {
            too_many(
                format!("too fast: at most {} publishes a second are accepted", self.publishes_per_sec),
                wait(until),
            )
        })
    }

    /// Counts a new guest, or says when the next one may come.
    pub fn guest(&self, from: IpAddr) -> Result<(), ApiError> {
        let wait = |until: governor::NotUntil<_>| until.wait_time_from(DefaultClock::default().now());
        self.guests.check_key(&address(from)).map_err(|until| {
            too_many(
                format!("at most {} new guests a minute may join from one address", self.guests_per_min),
                wait(until),
            )
        })
    }

    /// Forgets whoever has been quiet for long enough to start afresh.
    pub fn forget_the_quiet(&self) {
        self.publishes.retain_recent();
        self.guests.retain_recent();
    }
}

fn too_many(detail: String, wait: std::time::Duration) -> ApiError {
    // Rounded up: whoever waits that long is let in.
    let millis = wait.as_millis() as u64 + 1;
    Problem::new(ErrorCode::TooMany, detail).retry_after_ms(millis).into()
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// What counts as one address: an IPv4 address, or an IPv6 /64, which is what one subscriber is given.
pub(super) fn address(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    }
}

/// How many things of one address are open at once.
#[derive(Clone)]
pub struct Tally {
    max: u32,
    /// More are a crowd.
    few: u32,
    each: Arc<Mutex<HashMap<IpAddr, Open>>>,
}

/// The open things of one address.
#[derive(Default)]
struct Open {
    count: u32,
    /// Cancelled when all of them must end.
    end: CancellationToken,
}

/// One open thing; dropping it makes room for the next.
pub struct Counted {
    from: IpAddr,
    tally: Tally,
    end: CancellationToken,
}

impl Tally {
    /// The sockets, streams and waiting polls of each address.
    pub fn of_readers(limits: &Limits) -> Tally {
        Tally::new(limits.address_readers_max, FEW_READERS)
    }

    /// The connections of each address.
    pub fn of_connections(limits: &Limits) -> Tally {
        Tally::new(limits.address_connections_max, FEW_CONNECTIONS)
    }

    fn new(max: u32, few: u32) -> Tally {
        Tally { max, few, each: Arc::default() }
    }

    /// Counts one more, unless there are too many.
    pub fn open(&self, from: IpAddr) -> Option<Counted> {
        self.open_of(from, self.max)
    }

    /// Counts one more, unless there are as many as a few people have, beside those that `carried` counts already: a
    /// crowd stays outside.
    pub fn open_unless_crowded(&self, from: IpAddr, carried: Option<&Tally>) -> Option<Counted> {
        let carried = carried.map_or(0, |tally| tally.count(from));
        self.open_of(from, self.max.min(self.few.saturating_add(carried)))
    }

    fn open_of(&self, from: IpAddr, max: u32) -> Option<Counted> {
        let from = address(from);
        let mut each = self.lock();
        let open = each.entry(from).or_default();
        if open.count >= max {
            return None;
        }
        open.count += 1;
        Some(Counted { from, tally: self.clone(), end: open.end.clone() })
    }

    /// The open things of each address.
    pub fn counts(&self) -> HashMap<IpAddr, usize> {
        self.lock().iter().map(|(from, open)| (*from, open.count as usize)).collect()
    }

    /// Ends all that is open of an address and can be ended. What is opened from now on is not concerned.
    pub fn end(&self, from: IpAddr) {
        if let Some(open) = self.lock().get_mut(&from) {
            std::mem::take(&mut open.end).cancel();
        }
    }

    fn count(&self, from: IpAddr) -> u32 {
        self.lock().get(&address(from)).map_or(0, |open| open.count)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Open>> {
        self.each.lock().expect("no code panics while it holds this lock")
    }
}

impl Counted {
    /// Cancelled when it must end, as it belongs to the largest crowd.
    pub fn end(&self) -> CancellationToken {
        self.end.clone()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut each = self.tally.lock();
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
    fn a_tally_lets_in_as_many_as_it_says_and_again_once_they_leave() {
        let tally = Tally::new(2, 2);
        let home: IpAddr = "127.0.0.1".parse().unwrap();
        let (first, _second) = (tally.open(home), tally.open(home));
        assert!(first.is_some() && tally.open(home).is_none());
        drop(first);
        assert!(tally.open(home).is_some());
    }

    #[test]
    fn what_an_address_has_ends_at_once_and_what_it_opens_afterwards_does_not() {
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
        let of = |text: &str| address(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    }
}
