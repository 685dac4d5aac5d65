//! `AnnouncementCursor`: tells the messages that others have just written from those that were there.

use shared::{Seq, UserId};

use super::timeline::{Message, Timeline};
use crate::ui::isolate_bidi;

/// More messages at once are announced by their number.
const SPOKEN_MAX: usize = 3;

/// The newest message that is no news any more; nothing while the first page has not come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AnnouncementCursor(Option<Seq>);

impl AnnouncementCursor {
    /// The messages of others that came at the end since this was asked last. What the first page holds is no news, and
    /// neither is what a log holds that was restored.
    pub(super) fn news<'a>(
        &mut self,
        timeline: &'a Timeline,
        is_ready: bool,
        me: &'a UserId,
    ) -> Vec<&'a Message> {
        let newest = timeline.newest();
        let before = self.0.map_or(newest, |seen| seen.min(newest));
        if self.0.is_some() || is_ready {
            self.0 = Some(newest);
        }
        timeline.of_others_after(before, me).map(|message| &**message).collect()
    }
}

/// The news as they are read aloud.
pub(super) fn aloud(news: &[&Message]) -> String {
    if news.len() > SPOKEN_MAX {
        return format!("{} new messages", news.len());
    }
    let messages = news
        .iter()
        .map(|message| format!("{}: {}", isolate_bidi(message.author.name.as_str()), message.text));
    messages.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::chat::timeline::tests::{person, said, timeline};
    use crate::realtime::Projection;

    fn heard(heard: &mut AnnouncementCursor, timeline: &Timeline, is_ready: bool) -> String {
        aloud(&heard.news(timeline, is_ready, &person("ada").id))
    }

    fn messages(count: u64) -> Timeline {
        timeline((1..=count).map(|seq| (seq, "bob", 0)))
    }

    #[test]
    fn the_first_line_of_an_empty_room_is_news() {
        let mut state = AnnouncementCursor::default();
        assert_eq!(heard(&mut state, &messages(0), false), "");
        assert_eq!(heard(&mut state, &messages(0), true), "");
        assert_eq!(heard(&mut state, &messages(1), true), "\u{2068}bob\u{2069}: message 1");
    }

    #[test]
    fn the_first_page_is_no_news_however_late_it_comes() {
        let mut state = AnnouncementCursor::default();
        assert_eq!(heard(&mut state, &messages(0), false), "");
        assert_eq!(heard(&mut state, &messages(9), false), "");
        assert_eq!(heard(&mut state, &messages(10), true), "");
        assert_eq!(heard(&mut state, &messages(11), false), "\u{2068}bob\u{2069}: message 11");
    }

    #[test]
    fn older_lines_own_lines_and_a_restored_log_are_no_news() {
        let mut state = AnnouncementCursor::default();
        let mut timeline = timeline([(8, "bob", 0), (9, "bob", 0)]);
        heard(&mut state, &timeline, true);
        let (event, payload) = said(7, "bob", 0);
        timeline.apply_older(&event, payload);
        assert_eq!(heard(&mut state, &timeline, true), "");
        let (event, payload) = said(10, "ada", 0);
        timeline.apply(&event, payload);
        assert_eq!(heard(&mut state, &timeline, true), "");
        assert_eq!(heard(&mut state, &messages(3), true), "");
        assert_eq!(heard(&mut state, &messages(4), true), "\u{2068}bob\u{2069}: message 4");
    }

    #[test]
    fn many_lines_at_once_are_counted() {
        let mut state = AnnouncementCursor::default();
        heard(&mut state, &messages(1), true);
        assert_eq!(heard(&mut state, &messages(5), true), "4 new messages");
    }
}
