//! `follow_topics`: hears what happens in many topics, without reading them.
//!
//! For lists and counters that have their own source of truth (a pull of their own): what is heard is a hint,
//! and nothing is heard while there is no socket. Nobody is shown as present because of it.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use shared::{Event, Listed, Seq, Topic};

use super::listeners::{Delivery, ListenerId};
use super::use_realtime;

/// Something was heard.
#[derive(Debug, Clone)]
pub enum TopicUpdate {
    /// The newest seq of the topic; told at the start and after every reconnect.
    Head(Topic, Seq),
    /// Pushed.
    Event(Event),
    /// How many people are there; told at the start, after every reconnect, and when it changes.
    Presence(Topic, u64),
}

/// Tells `on_update` what happens in the topics that `topics` names by now, for as long as the calling
/// component lives.
pub fn follow_topics(topics: impl Fn() -> Vec<Topic> + 'static, on_update: impl Fn(TopicUpdate) + 'static) {
    let socket = use_realtime().core().socket;
    let watched: Rc<RefCell<Vec<(Topic, ListenerId)>>> = Rc::default();
    let on_update: Rc<dyn Fn(TopicUpdate)> = Rc::new(on_update);

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
            let (tell, of) = (on_update.clone(), topic.clone());
            let id = socket.listen(&topic, Listed::No, move |arrival| match arrival {
                Delivery::Head(_, seq) => tell(TopicUpdate::Head(of.clone(), seq)),
                Delivery::Event(_, event) => tell(TopicUpdate::Event(event)),
                Delivery::Presence(members) => tell(TopicUpdate::Presence(of.clone(), members.total)),
                Delivery::Acked(..) | Delivery::Signal(..) | Delivery::Refused(_) => {}
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
