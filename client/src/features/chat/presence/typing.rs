//! `Typing`: the members who are typing in a room, according to their signals, and the pace of the user's own signals.
//!
//! Plain data. A client repeats its signal every few seconds while its user types; without further signals the user has
//! stopped.

use shared::{Identity, Millis, UserId};

use crate::realtime::Members;
use crate::ui::isolate_bidi;

/// The interval of signals while the user goes on typing.
const SIGNAL_EVERY_MS: Millis = 3_000;
/// The time for which a signal counts: longer than the interval, since one may be lost.
pub(super) const SIGNAL_LIFETIME_MS: Millis = 5_000;
/// The shortest time between two announcements by a screen reader, however lively the room is.
const ANNOUNCE_EVERY_MS: Millis = 30_000;

/// The typing in one room.
#[derive(Debug, Default)]
pub struct Typing {
    /// Others who are typing, each with the time at which their signal expires.
    others: Vec<(Identity, Millis)>,
    signalled_at: Option<Millis>,
    announced_at: Option<Millis>,
}

impl Typing {
    /// Notes a signal of somebody who is typing. Returns true if a screen reader should announce it.
    pub(super) fn add(&mut self, who: Identity, now: Millis) -> bool {
        let was_nobody = self.others.is_empty();
        let expires_at = now + SIGNAL_LIFETIME_MS;
        match self.others.iter_mut().find(|(other, _)| other.id == who.id) {
            Some(other) => *other = (who, expires_at),
            None => self.others.push((who, expires_at)),
        }
        was_nobody && is_due(&mut self.announced_at, now, ANNOUNCE_EVERY_MS)
    }

    /// Removes somebody whose message has arrived, or who has discarded it.
    pub fn remove(&mut self, who: &UserId) {
        self.others.retain(|(other, _)| other.id != *who);
    }

    /// Removes those whose signals have expired.
    pub(super) fn expire(&mut self, now: Millis) {
        self.others.retain(|(_, expires_at)| *expires_at > now);
    }

    /// Removes those who have left the room, if the list of members is complete.
    pub(super) fn retain_members(&mut self, members: &Members) {
        if members.total > 0 && members.total == members.listed.len() as u64 {
            self.others.retain(|(other, _)| members.listed.iter().any(|member| member.id == other.id));
        }
    }

    /// True if anyone else is typing.
    pub fn is_anyone(&self) -> bool {
        !self.others.is_empty()
    }

    /// The names of those who are typing.
    pub(super) fn names(&self) -> Vec<String> {
        self.others.iter().map(|(other, _)| other.name.to_string()).collect()
    }

    /// The text for a screen reader; empty if nobody is typing.
    pub(super) fn announcement(&self) -> String {
        let name = |other: &Identity| isolate_bidi(other.name.as_str());
        match self.others.as_slice() {
            [] => String::new(),
            [(one, _)] => format!("{} is typing…", name(one)),
            [(one, _), (other, _)] => format!("{} and {} are typing…", name(one), name(other)),
            _ => "Several people are typing…".into(),
        }
    }

    /// Notes that the user is typing. Returns true if a signal is due.
    pub(super) fn should_signal(&mut self, now: Millis) -> bool {
        is_due(&mut self.signalled_at, now, SIGNAL_EVERY_MS)
    }

    /// Notes that the user has stopped typing. Returns true if the last signal still counts, so that it must be revoked.
    pub(super) fn should_signal_stop(&mut self, now: Millis) -> bool {
        self.signalled_at.take().is_some_and(|at| now - at < SIGNAL_LIFETIME_MS)
    }
}

/// True if `last` is at least `every_ms` ago or has never been; then it becomes `now`.
fn is_due(last: &mut Option<Millis>, now: Millis, every_ms: Millis) -> bool {
    let is_due = last.is_none_or(|last| now - last >= every_ms);
    if is_due {
        *last = Some(now);
    }
    is_due
}

#[cfg(test)]
mod tests {
    use shared::{DisplayName, Member};

    use super::*;

    fn identity(name: &str) -> Identity {
        Identity { id: UserId(name.into()), name: DisplayName::parse(name).unwrap() }
    }

    #[test]
    fn up_to_two_members_are_named() {
        let mut typing = Typing::default();
        assert_eq!(typing.announcement(), "");
        for (name, text) in [
            ("Ada", "\u{2068}Ada\u{2069} is typing…"),
            ("Bo", "\u{2068}Ada\u{2069} and \u{2068}Bo\u{2069} are typing…"),
            ("Ada", "\u{2068}Ada\u{2069} and \u{2068}Bo\u{2069} are typing…"),
            ("Cy", "Several people are typing…"),
        ] {
            typing.add(identity(name), 0);
            assert_eq!(typing.announcement(), text);
        }
    }

    #[test]
    fn a_member_without_further_signals_has_stopped() {
        let mut typing = Typing::default();
        typing.add(identity("Ada"), 0);
        typing.add(identity("Bo"), 3_000);
        typing.expire(SIGNAL_LIFETIME_MS);
        assert_eq!(typing.announcement(), "\u{2068}Bo\u{2069} is typing…");
        typing.add(identity("Bo"), 6_000);
        typing.expire(8_000);
        assert_eq!(typing.announcement(), "\u{2068}Bo\u{2069} is typing…");
    }

    #[test]
    fn a_member_whose_message_arrived_has_stopped() {
        let mut typing = Typing::default();
        typing.add(identity("Ada"), 0);
        typing.remove(&identity("Ada").id);
        assert_eq!(typing.announcement(), "");
    }

    #[test]
    fn a_signal_is_due_every_three_seconds_and_at_once_for_the_next_text() {
        let mut typing = Typing::default();
        let signalled: Vec<Millis> =
            (0..10).map(|n| n * 800).filter(|now| typing.should_signal(*now)).collect();
        assert_eq!(signalled, [0, 3_200, 6_400]);
        assert!(typing.should_signal_stop(6_500));
        assert!(typing.should_signal(6_500));
    }

    #[test]
    fn a_stop_is_signalled_once_and_only_while_the_last_signal_counts() {
        let mut typing = Typing::default();
        assert!(!typing.should_signal_stop(0));
        typing.should_signal(0);
        assert!(!typing.should_signal_stop(SIGNAL_LIFETIME_MS));
        typing.should_signal(9_000);
        assert!(typing.should_signal_stop(9_001));
        assert!(!typing.should_signal_stop(9_002));
    }

    #[test]
    fn a_member_who_left_has_stopped_if_the_list_is_complete() {
        let mut typing = Typing::default();
        typing.add(identity("Ada"), 0);
        typing.add(identity("Bo"), 0);
        let bo = Member { id: identity("Bo").id, name: identity("Bo").name, sessions: 1 };
        typing.retain_members(&Members::default());
        typing.retain_members(&Members { total: 2, listed: vec![bo.clone()] });
        assert_eq!(typing.names(), ["Ada", "Bo"]);
        typing.retain_members(&Members { total: 1, listed: vec![bo] });
        assert_eq!(typing.names(), ["Bo"]);
    }

    #[test]
    fn only_the_first_to_type_is_announced_and_not_often() {
        let mut typing = Typing::default();
        assert!(typing.add(identity("Ada"), 0));
        assert!(!typing.add(identity("Bo"), 100));
        typing.expire(10_000);
        assert!(!typing.add(identity("Bo"), 10_000));
        typing.expire(40_000);
        assert!(typing.add(identity("Bo"), 40_000));
    }
}
