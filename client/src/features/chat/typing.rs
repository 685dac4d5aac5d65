//! `Typing`: who is writing in a room just now, as their signals say.
//!
//! Plain data and words. Whoever writes says so again every few seconds; who says nothing any more has stopped.

use shared::{Identity, Millis, UserId};

/// How often it is said while somebody goes on writing.
pub(super) const SAY_EVERY_MS: Millis = 3_000;
/// How long it is believed: a signal may be lost, or two.
pub(super) const BELIEVED_MS: Millis = 5_000;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Typing(Vec<(Identity, Millis)>);

impl Typing {
    /// Somebody says that they are writing.
    pub(super) fn hear(&mut self, who: Identity, now: Millis) {
        let until = now + BELIEVED_MS;
        match self.0.iter_mut().find(|(known, _)| known.id == who.id) {
            Some(known) => *known = (who, until),
            None => self.0.push((who, until)),
        }
    }

    /// What they wrote has come.
    pub(super) fn stop(&mut self, who: &UserId) {
        self.0.retain(|(known, _)| known.id != *who);
    }

    /// Lets go of those who said nothing any more.
    pub(super) fn expire(&mut self, now: Millis) {
        self.0.retain(|(_, until)| *until > now);
    }

    /// Who it is, as one says it; empty when it is nobody.
    pub(super) fn words(&self) -> String {
        match self.0.as_slice() {
            [] => String::new(),
            [(one, _)] => format!("{} is typing…", one.name),
            [(one, _), (other, _)] => format!("{} and {} are typing…", one.name, other.name),
            _ => "Several people are typing…".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::DisplayName;

    use super::*;

    fn person(name: &str) -> Identity {
        Identity { id: UserId(name.into()), name: DisplayName::parse(name).unwrap() }
    }

    #[test]
    fn up_to_two_people_are_named() {
        let mut typing = Typing::default();
        assert_eq!(typing.words(), "");
        for (name, words) in [
            ("Ada", "Ada is typing…"),
            ("Bo", "Ada and Bo are typing…"),
            ("Ada", "Ada and Bo are typing…"),
            ("Cy", "Several people are typing…"),
        ] {
            typing.hear(person(name), 0);
            assert_eq!(typing.words(), words);
        }
    }

    #[test]
    fn whoever_says_nothing_any_more_has_stopped() {
        let mut typing = Typing::default();
        typing.hear(person("Ada"), 0);
        typing.hear(person("Bo"), 3_000);
        typing.expire(BELIEVED_MS);
        assert_eq!(typing.words(), "Bo is typing…");
        typing.hear(person("Bo"), 6_000);
        typing.expire(8_000);
        assert_eq!(typing.words(), "Bo is typing…");
    }

    #[test]
    fn a_line_that_came_is_not_being_written_any_more() {
        let mut typing = Typing::default();
        typing.hear(person("Ada"), 0);
        typing.stop(&person("Ada").id);
        assert_eq!(typing.words(), "");
    }
}
