//! `Presence`: who is at one topic, for the others to see.
//!
//! Each listed session has a seat. A session whose connection was lost keeps its seat for a while, and the same
//! person coming back takes it over, so that a reload, a short tunnel or a restart of the phone is no news.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::{DisplayName, Identity, Member, UserId};
use tokio::time::Instant;

use crate::realtime::sessions::SessionId;

/// How long a lost session keeps its seat.
const LOST_FOR: Duration = Duration::from_secs(10);
/// How many members are told; the others are only counted.
const MEMBERS_MAX: usize = 50;
/// The shortest time between two tellings, and the longest that a crowd makes of it.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Each member adds this much: what everyone is told grows with them.
const PAUSE_PER_MEMBER: Duration = Duration::from_millis(5);

/// See the module. Seats in the order in which they were taken.
#[derive(Default)]
pub struct Presence {
    seats: BTreeMap<u64, Seat>,
    taken: u64,
    /// Somebody came, went or changed their name since everyone was told.
    changed: bool,
    told_at: Option<Instant>,
}

struct Seat {
    session: SessionId,
    who: Identity,
    lost_at: Option<Instant>,
}

impl Presence {
    /// A session is listed here from now on. Once is enough.
    pub fn join(&mut self, session: SessionId, who: Identity) {
        let theirs = |seat: &&mut Seat| seat.session == session;
        let left = |seat: &&mut Seat| seat.lost_at.is_some() && seat.who.id == who.id;
        let own = self.seats.values_mut().find(theirs);
        let seat = match own {
            Some(seat) => Some(seat),
            None => self.seats.values_mut().find(left),
        };
        let Some(seat) = seat else {
            self.taken += 1;
            self.changed = true;
            self.seats.insert(self.taken, Seat { session, who, lost_at: None });
            return;
        };
        self.changed |= seat.who.name != who.name;
        *seat = Seat { session, who, lost_at: None };
    }

    /// A session left. Returns who it was, if it had a seat.
    pub fn leave(&mut self, session: SessionId) -> Option<UserId> {
        let (number, who) = self
            .seats
            .iter()
            .find(|(_, seat)| seat.session == session)
            .map(|(number, seat)| (*number, seat.who.id.clone()))?;
        self.seats.remove(&number);
        self.changed = true;
        Some(who)
    }

    /// A session's connection was lost: it may be back soon.
    pub fn lose(&mut self, session: SessionId, now: Instant) {
        let seat = self.seats.values_mut().find(|seat| seat.session == session);
        seat.into_iter().for_each(|seat| seat.lost_at = Some(now));
    }

    /// Somebody is called otherwise now.
    pub fn rename(&mut self, user: &UserId, name: &DisplayName) {
        for seat in self.seats.values_mut().filter(|seat| seat.who.id == *user && seat.who.name != *name) {
            seat.who.name = name.clone();
            self.changed = true;
        }
    }

    /// Frees the seats of those who did not come back. Returns the people who have none any more.
    pub fn expire(&mut self, now: Instant) -> Vec<UserId> {
        let mut freed = Vec::new();
        self.seats.retain(|_, seat| {
            let stays = seat.lost_at.is_none_or(|lost_at| now < lost_at + LOST_FOR);
            freed.extend((!stays).then(|| seat.who.id.clone()));
            stays
        });
        self.changed |= !freed.is_empty();
        freed.retain(|who| !self.has(who));
        freed
    }

    /// True if the person has a seat here.
    pub fn has(&self, who: &UserId) -> bool {
        self.seats.values().any(|seat| seat.who.id == *who)
    }

    /// When everyone is to be told again, if at all: at once after a quiet time, else after a pause.
    pub fn due_at(&self, now: Instant) -> Option<Instant> {
        let pause = (PAUSE_PER_MEMBER * self.seats.len() as u32).clamp(PAUSE_MIN, PAUSE_MAX);
        self.changed.then(|| self.told_at.map_or(now, |told_at| told_at + pause))
    }

    /// When the next seat of a lost session becomes free.
    pub fn expires_at(&self) -> Option<Instant> {
        self.seats.values().filter_map(|seat| seat.lost_at).min().map(|lost_at| lost_at + LOST_FOR)
    }

    /// Everyone is being told.
    pub fn told(&mut self, now: Instant) {
        self.changed = false;
        self.told_at = Some(now);
    }

    /// How many there are, and those who have been here longest.
    pub fn members(&self) -> (u64, Vec<Member>) {
        let mut places: BTreeMap<&UserId, usize> = BTreeMap::new();
        let mut members: Vec<Member> = Vec::new();
        for seat in self.seats.values() {
            let next = places.len();
            let place = *places.entry(&seat.who.id).or_insert(next);
            if let Some(member) = members.get_mut(place) {
                member.sessions += 1;
            } else if place < MEMBERS_MAX {
                let Identity { id, name } = seat.who.clone();
                members.push(Member { id, name, sessions: 1 });
            }
        }
        (places.len() as u64, members)
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(id: &str) -> Identity {
        Identity { id: UserId(id.into()), name: DisplayName::parse(id).unwrap() }
    }

    fn told(presence: &Presence) -> Vec<(String, u32)> {
        let (_, members) = presence.members();
        members.iter().map(|member| (member.id.to_string(), member.sessions)).collect()
    }

    /// A presence of which everyone was told just now.
    fn quiet(sessions: &[(u64, &str)]) -> (Presence, Instant) {
        let (mut presence, now) = (Presence::default(), Instant::now());
        sessions.iter().for_each(|(session, id)| presence.join(SessionId(*session), who(id)));
        presence.told(now);
        (presence, now)
    }

    #[test]
    fn two_windows_are_one_member_with_two_sessions() {
        let (mut presence, _) = quiet(&[(1, "ada"), (2, "bo"), (3, "ada")]);
        assert_eq!(told(&presence), [("ada".into(), 2), ("bo".into(), 1)]);
        presence.leave(SessionId(1));
        assert_eq!(told(&presence), [("bo".into(), 1), ("ada".into(), 1)]);
    }

    #[test]
    fn who_comes_back_in_time_was_never_gone() {
        let (mut presence, now) = quiet(&[(1, "ada"), (2, "ada"), (3, "bo")]);
        presence.lose(SessionId(1), now);
        presence.expire(now + Duration::from_secs(9));
        presence.join(SessionId(4), who("ada"));
        presence.expire(now + Duration::from_secs(60));
        assert_eq!(told(&presence), [("ada".into(), 2), ("bo".into(), 1)]);
        assert_eq!(presence.due_at(now), None, "nobody needs to be told");
    }

    #[test]
    fn who_does_not_come_back_is_gone_after_ten_seconds() {
        let (mut presence, now) = quiet(&[(1, "ada")]);
        presence.lose(SessionId(1), now);
        assert_eq!(presence.expires_at(), Some(now + LOST_FOR));
        presence.expire(now + LOST_FOR);
        assert!(presence.is_empty() && presence.due_at(now).is_some());
    }

    #[test]
    fn a_crowd_is_counted_in_full_told_in_part_and_less_often() {
        let sessions: Vec<(u64, String)> = (0..1_000).map(|number| (number, format!("u{number}"))).collect();
        let sessions: Vec<(u64, &str)> = sessions.iter().map(|(number, id)| (*number, id.as_str())).collect();
        let (mut presence, now) = quiet(&sessions);
        let (total, members) = presence.members();
        assert_eq!((total, members.len(), members[49].id.to_string()), (1_000, 50, "u49".into()));
        presence.leave(SessionId(0));
        assert_eq!(presence.due_at(now), Some(now + Duration::from_millis(999 * 5)));
    }

    #[test]
    fn a_new_name_is_news_and_the_same_one_is_none() {
        let (mut presence, now) = quiet(&[(1, "ada")]);
        presence.rename(&UserId("ada".into()), &DisplayName::parse("ada").unwrap());
        assert_eq!(presence.due_at(now), None);
        presence.rename(&UserId("ada".into()), &DisplayName::parse("Countess").unwrap());
        assert_eq!(presence.due_at(now), Some(now + PAUSE_MIN));
    }
}
