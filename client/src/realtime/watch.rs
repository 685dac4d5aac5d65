//! `watch_topics`: hears what happens in many topics, without reading them.
//!
//! For lists and counters that have their own source of truth (a pull of their own): what is heard is a hint,
//! and nothing is heard while there is no socket. Nobody is shown as present because of it.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use shared::{Event, Listed, Seq, Topic};

use super::listeners::{Arrival, ListenerId};
use super::use_realtime;

/// Something was heard.
#[derive(Debug, Clone)]
pub enum News {
    /// The newest seq of the topic; told at the start and after every reconnect.
    Head(Topic, Seq),
    /// Pushed.
    Event(Event),
    /// How many people are there; told at the start, after every reconnect, and when it changes.
    Presence(Topic, u64),
}

/// Tells `on_news` what happens in the topics that `topics` names by now, for as long as the calling
/// component lives.
pub fn watch_topics(topics: impl Fn() -> Vec<Topic> + 'static, on_news: impl Fn(News) + 'static) {
    let socket = use_realtime().parts().socket;
    let watched: Rc<RefCell<Vec<(Topic, ListenerId)>>> = Rc::default();
    let on_news: Rc<dyn Fn(News)> = Rc::new(on_news);

    let ending = StoredValue::new_local((socket.clone(), watched.clone()));
    let watch = move || {
        let wanted = topics();
        let mut watched = watched.borrow_mut();
        watched.retain(|(topic, id)| {
            let stays = wanted.contains(topic);
            if !stays {
                socket.unlisten(topic, *id);
            }
            stays
        });
        for topic in wanted {
            if watched.iter().any(|(known, _)| *known == topic) {
                continue;
            }
            let (tell, of) = (on_news.clone(), topic.clone());
            let id = socket.listen(&topic, Listed::No, move |arrival| match arrival {
                Arrival::Head(_, seq) => tell(News::Head(of.clone(), seq)),
                Arrival::Event(_, event) => tell(News::Event(event)),
                Arrival::Presence(members) => tell(News::Presence(of.clone(), members.total)),
                Arrival::Acked(..) | Arrival::Signal(..) | Arrival::Refused(_) => {}
            });
            watched.push((topic, id));
        }
    };
    Effect::new(Box::new(watch) as Box<dyn Fn()>);
    on_cleanup(move || {
        let Some((socket, watched)) = ending.try_get_value() else { return };
        for (topic, id) in watched.take() {
            socket.unlisten(&topic, id);
        }
    });
}
