//! `Typing`: who is writing in a room just now, as their signals say, and when to say it oneself.
//!
//! Plain data and words. Whoever writes says so again every few seconds; who says nothing any more has stopped.

use shared::{Identity, Millis, UserId};

use crate::realtime::Members;
use crate::ui::isolate_bidi;

/// How often it is said while somebody goes on writing.
const SAY_EVERY_MS: Millis = 3_000;
/// How long it is believed: a signal may be lost.
pub(super) const BELIEVED_MS: Millis = 5_000;
/// It is read aloud this often at most, however lively the room is.
const ALOUD_EVERY_MS: Millis = 30_000;

/// The people who are writing in a room, and when to say so oneself.
#[derive(Debug, Default)]
pub(super) struct Typing {
    others: Vec<(Identity, Millis)>,
    said_at: Option<Millis>,
    aloud_at: Option<Millis>,
}

impl Typing {
    /// Somebody says that they are writing. Tells whether that is worth being read aloud.
    pub(super) fn hear(&mut self, who: Identity, now: Millis) -> bool {
        let (was_silent, until) = (self.others.is_empty(), now + BELIEVED_MS);
        match self.others.iter_mut().find(|(known, _)| known.id == who.id) {
            Some(known) => *known = (who, until),
            None => self.others.push((who, until)),
        }
        was_silent && is_due(&mut self.aloud_at, now, ALOUD_EVERY_MS)
    }

    /// Takes them out: their message has come, or they have thrown it away.
    pub(super) fn stop(&mut self, who: &UserId) {
        self.others.retain(|(known, _)| known.id != *who);
    }

    /// Lets go of those who said nothing any more.
    pub(super) fn expire(&mut self, now: Millis) {
        self.others.retain(|(_, until)| *until > now);
    }

    /// Those who are not in the room have stopped. Believed only of a list that has everybody on it.
    pub(super) fn keep_members(&mut self, members: &Members) {
        if members.total > 0 && members.total == members.listed.len() as u64 {
            self.others.retain(|(known, _)| members.listed.iter().any(|member| member.id == known.id));
        }
    }

    /// True if somebody is writing.
    pub(super) fn is_anyone(&self) -> bool {
        !self.others.is_empty()
    }

    /// The names of those who are writing.
    pub(super) fn names(&self) -> Vec<String> {
        self.others.iter().map(|(known, _)| known.name.to_string()).collect()
    }

    /// The names, as they are read aloud; empty when it is nobody.
    pub(super) fn aloud(&self) -> String {
        match self.others.as_slice() {
            [] => String::new(),
            [(one, _)] => format!("{} is typing…", isolate_bidi(one.name.as_str())),
            [(one, _), (other, _)] => {
                let (one, other) = (isolate_bidi(one.name.as_str()), isolate_bidi(other.name.as_str()));
                format!("{one} and {other} are typing…")
            }
            _ => "Several people are typing…".into(),
        }
    }

    /// Notes that somebody writes here. Returns whether to say so now.
    pub(super) fn should_signal(&mut self, now: Millis) -> bool {
        is_due(&mut self.said_at, now, SAY_EVERY_MS)
    }

    /// Notes that nothing is being written here any more. Returns whether the others may still believe so.
    pub(super) fn should_signal_stop(&mut self, now: Millis) -> bool {
        self.said_at.take().is_some_and(|said| now - said < BELIEVED_MS)
    }
}

/// Whether it is long enough ago, and if so, that it is done now.
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

    fn person(name: &str) -> Identity {
        Identity { id: UserId(name.into()), name: DisplayName::parse(name).unwrap() }
    }

    #[test]
    fn up_to_two_people_are_named() {
        let mut typing = Typing::default();
        assert_eq!(typing.aloud(), "");
        for (name, words) in [
            ("Ada", "\u{2068}Ada\u{2069} is typing…"),
            ("Bo", "\u{2068}Ada\u{2069} and \u{2068}Bo\u{2069} are typing…"),
            ("Ada", "\u{2068}Ada\u{2069} and \u{2068}Bo\u{2069} are typing…"),
            ("Cy", "Several people are typing…"),
        ] {
            typing.hear(person(name), 0);
            assert_eq!(typing.aloud(), words);
        }
    }

    #[test]
    fn whoever_says_nothing_any_more_has_stopped() {
        let mut typing = Typing::default();
        typing.hear(person("Ada"), 0);
        typing.hear(person("Bo"), 3_000);
        typing.expire(BELIEVED_MS);
        assert_eq!(typing.aloud(), "\u{2068}Bo\u{2069} is typing…");
        typing.hear(person("Bo"), 6_000);
        typing.expire(8_000);
        assert_eq!(typing.aloud(), "\u{2068}Bo\u{2069} is typing…");
    }

    #[test]
    fn a_line_that_came_is_not_being_written_any_more() {
        let mut typing = Typing::default();
        typing.hear(person("Ada"), 0);
        typing.stop(&person("Ada").id);
        assert_eq!(typing.aloud(), "");
    }

    #[test]
    fn it_is_said_every_three_seconds_and_at_once_for_the_next_text() {
        let mut typing = Typing::default();
        let said: Vec<Millis> = (0..10).map(|n| n * 800).filter(|now| typing.should_signal(*now)).collect();
        assert_eq!(said, [0, 3_200, 6_400]);
        assert!(typing.should_signal_stop(6_500));
        assert!(typing.should_signal(6_500));
    }

    #[test]
    fn only_what_is_still_believed_is_taken_back_and_once() {
        let mut typing = Typing::default();
        assert!(!typing.should_signal_stop(0));
        typing.should_signal(0);
        assert!(!typing.should_signal_stop(BELIEVED_MS));
        typing.should_signal(9_000);
        assert!(typing.should_signal_stop(9_001));
        assert!(!typing.should_signal_stop(9_002));
    }

    #[test]
    fn whoever_left_has_stopped_as_far_as_everybody_is_listed() {
        let mut typing = Typing::default();
        typing.hear(person("Ada"), 0);
        typing.hear(person("Bo"), 0);
        let bo = Member { id: person("Bo").id, name: person("Bo").name, sessions: 1 };
        typing.keep_members(&Members::default());
        typing.keep_members(&Members { total: 2, listed: vec![bo.clone()] });
        assert_eq!(typing.names(), ["Ada", "Bo"]);
        typing.keep_members(&Members { total: 1, listed: vec![bo] });
        assert_eq!(typing.names(), ["Bo"]);
    }

    #[test]
    fn only_a_new_beginning_is_read_aloud_and_not_often() {
        let mut typing = Typing::default();
        assert!(typing.hear(person("Ada"), 0));
        assert!(!typing.hear(person("Bo"), 100));
        typing.expire(10_000);
        assert!(!typing.hear(person("Bo"), 10_000));
        typing.expire(40_000);
        assert!(typing.hear(person("Bo"), 40_000));
    }
}
