//! `Presence`: the people at one topic, for the others to see.
//!
//! Each listed session has a seat. A session whose connection was lost keeps its seat for a while, and the same person
//! takes it over when they come back. So a reload or a short tunnel is not shown as leaving and coming.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::{DisplayName, Identity, Member, UserId};
use tokio::time::Instant;

use crate::sessions::SessionId;

/// The time for which a lost session keeps its seat.
const LOST_FOR: Duration = Duration::from_secs(10);
/// Members that are named in a frame; the others are only counted.
const MEMBERS_MAX: usize = 50;
/// The pause between two frames to everyone: [`PAUSE_PER_SEAT`] for each seat, within these bounds. At 100 seats it is
/// 500 ms, at 1,000 it is 5 s.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// The cost of a frame to everyone grows with the square of the members; the pause grows with them too.
const PAUSE_PER_SEAT: Duration = Duration::from_millis(5);

/// The seats at one topic, in the order in which they were taken.
#[derive(Default)]
pub struct Presence {
    seats: BTreeMap<u64, Seat>,
    taken: u64,
    /// True if somebody came, went or changed their name since everyone was told.
    changed: bool,
    told_at: Option<Instant>,
}

struct Seat {
    session: SessionId,
    who: Identity,
    lost_at: Option<Instant>,
}

impl Presence {
    /// Gives a session a seat: its own, one that the same person has lost, or a new one.
    pub fn join(&mut self, session: SessionId, who: Identity) {
        let is_own = |seat: &Seat| seat.session == session;
        let is_lost = |seat: &Seat| seat.lost_at.is_some() && seat.who.id == who.id;
        let own = self.find(is_own).or_else(|| self.find(is_lost));
        let Some(seat) = own.and_then(|number| self.seats.get_mut(&number)) else {
            self.taken += 1;
            self.changed = true;
            self.seats.insert(self.taken, Seat { session, who, lost_at: None });
            return;
        };
        self.changed |= seat.who.name != who.name;
        *seat = Seat { session, who, lost_at: None };
    }

    /// Frees the seat of a session. Returns the person, if it had one.
    pub fn leave(&mut self, session: SessionId) -> Option<UserId> {
        let number = self.find(|seat| seat.session == session)?;
        let seat = self.seats.remove(&number)?;
        self.changed = true;
        Some(seat.who.id)
    }

    /// Notes that a session's connection was lost, and may be back soon.
    pub fn lose(&mut self, session: SessionId, now: Instant) {
        if let Some(seat) = self.seats.values_mut().find(|seat| seat.session == session) {
            seat.lost_at = Some(now);
        }
    }

    fn find(&self, is_it: impl Fn(&Seat) -> bool) -> Option<u64> {
        self.seats.iter().find(|(_, seat)| is_it(seat)).map(|(number, _)| *number)
    }

    /// Changes a person's name at all their seats.
    pub fn rename(&mut self, user: &UserId, name: &DisplayName) {
        for seat in self.seats.values_mut().filter(|seat| seat.who.id == *user && seat.who.name != *name) {
            seat.who.name = name.clone();
            self.changed = true;
        }
    }

    /// Frees the seats of lost sessions that did not come back in time. Returns the people who have no seat left.
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

    /// Returns the time at which everyone is to be told, if anything has changed: at once after a quiet time, else after
    /// the pause.
    pub fn due_at(&self, now: Instant) -> Option<Instant> {
        let pause = (PAUSE_PER_SEAT * self.seats.len() as u32).clamp(PAUSE_MIN, PAUSE_MAX);
        self.changed.then(|| self.told_at.map_or(now, |told_at| told_at + pause))
    }

    /// Returns the time at which the next seat of a lost session becomes free.
    pub fn expires_at(&self) -> Option<Instant> {
        self.seats.values().filter_map(|seat| seat.lost_at).min().map(|lost_at| lost_at + LOST_FOR)
    }

    /// Notes that everyone is being told.
    pub fn told(&mut self, now: Instant) {
        self.changed = false;
        self.told_at = Some(now);
    }

    /// Counts the people, and names those who have been here longest.
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

    /// True if there is no seat.
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

    /// A presence that everyone was told just now.
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
