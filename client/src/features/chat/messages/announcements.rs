//! `AnnouncementCursor`: finds the messages of others that a screen reader has not announced yet.

use shared::{Seq, UserId};

use crate::features::chat::timeline::{Message, Timeline};
use crate::ui::isolate_bidi;

/// The most messages that are announced with their text; more are announced by their number.
const READ_OUT_MAX: usize = 3;

/// The newest seq that needs no announcement any more; `None` until the first page has arrived.
#[derive(Debug, Default)]
pub struct AnnouncementCursor(Option<Seq>);

impl AnnouncementCursor {
    /// Moves to the newest message. Returns the messages of others that came since the last call.
    ///
    /// The messages of the first page are not new, nor are those of a log that was restored to an earlier state.
    pub fn advance<'a>(&mut self, timeline: &'a Timeline, is_ready: bool, me: &UserId) -> Vec<&'a Message> {
        let newest = timeline.newest();
        let before = self.0.map_or(newest, |announced| announced.min(newest));
        if self.0.is_some() || is_ready {
            self.0 = Some(newest);
        }
        timeline.of_others_after(before, me).map(|message| &**message).collect()
    }
}

/// The text of an announcement; empty if there are no messages.
pub fn announcement(messages: &[&Message]) -> String {
    if messages.len() > READ_OUT_MAX {
        return format!("{} new messages", messages.len());
    }
    let texts = messages
        .iter()
        .map(|message| format!("{}: {}", isolate_bidi(message.author.name.as_str()), message.text));
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::chat::timeline::tests::{event_of, identity, timeline};
    use crate::realtime::Projection;

    fn announced(cursor: &mut AnnouncementCursor, timeline: &Timeline, is_ready: bool) -> String {
        announcement(&cursor.advance(timeline, is_ready, &identity("ada").id))
    }

    fn messages(count: u64) -> Timeline {
        timeline((1..=count).map(|seq| (seq, "bob", 0)))
    }

    #[test]
    fn the_first_message_of_an_empty_room_is_announced() {
        let mut cursor = AnnouncementCursor::default();
        assert_eq!(announced(&mut cursor, &messages(0), false), "");
        assert_eq!(announced(&mut cursor, &messages(0), true), "");
        assert_eq!(announced(&mut cursor, &messages(1), true), "\u{2068}bob\u{2069}: message 1");
    }

    #[test]
    fn the_first_page_is_not_announced_however_late_it_comes() {
        let mut cursor = AnnouncementCursor::default();
        assert_eq!(announced(&mut cursor, &messages(0), false), "");
        assert_eq!(announced(&mut cursor, &messages(9), false), "");
        assert_eq!(announced(&mut cursor, &messages(10), true), "");
        assert_eq!(announced(&mut cursor, &messages(11), false), "\u{2068}bob\u{2069}: message 11");
    }

    #[test]
    fn older_messages_own_messages_and_a_restored_log_are_not_announced() {
        let mut cursor = AnnouncementCursor::default();
        let mut timeline = timeline([(8, "bob", 0), (9, "bob", 0)]);
        announced(&mut cursor, &timeline, true);
        let (event, payload) = event_of(7, "bob", 0);
        timeline.apply_older(&event, payload);
        assert_eq!(announced(&mut cursor, &timeline, true), "");
        let (event, payload) = event_of(10, "ada", 0);
        timeline.apply(&event, payload);
        assert_eq!(announced(&mut cursor, &timeline, true), "");
        assert_eq!(announced(&mut cursor, &messages(3), true), "");
        assert_eq!(announced(&mut cursor, &messages(4), true), "\u{2068}bob\u{2069}: message 4");
    }

    #[test]
    fn many_messages_at_once_are_announced_by_their_number() {
        let mut cursor = AnnouncementCursor::default();
        announced(&mut cursor, &messages(1), true);
        assert_eq!(announced(&mut cursor, &messages(5), true), "4 new messages");
    }
}
