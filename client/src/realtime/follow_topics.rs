//! `follow_topics`: updates of many topics at once, without reading any of them.
//!
//! For lists and counters with a source of truth of their own, such as a list that the server answers. An update is a
//! hint, and none arrives while there is no socket. Following a topic does not show in its presence.

use std::rc::Rc;

use leptos::prelude::*;
use shared::{Event, Listed, Seq, Topic};

use super::context::use_realtime;
use super::listeners::{Delivery, ListenerId};
use super::socket::Socket;

/// A change in a topic that is followed.
#[derive(Debug, Clone)]
pub enum TopicUpdate {
    /// The newest seq of the topic; sent at the start and after every reconnect.
    Head(Topic, Seq),
    /// An event that the node pushed.
    Event(Event),
    /// The number of members; sent at the start, after every reconnect, and when it changes.
    Presence(Topic, u64),
}

/// Calls `on_update` for every change in the topics that `topics` returns, for as long as the calling component
/// lives. `topics` is tracked: a topic that it no longer returns is no longer followed.
pub fn follow_topics(topics: impl Fn() -> Vec<Topic> + 'static, on_update: impl Fn(TopicUpdate) + 'static) {
    let realtime = use_realtime();
    let on_update: Rc<dyn Fn(TopicUpdate)> = Rc::new(on_update);
    let followed = StoredValue::new_local(Vec::<(Topic, ListenerId)>::new());

    let unfollow_all_but = move |wanted: &[Topic]| {
        followed.try_update_value(|followed| {
            followed.retain(|(topic, id)| {
                let stays = wanted.contains(topic);
                if !stays {
                    realtime.core().socket.remove_listener(topic, *id);
                }
                stays
            });
        });
    };
    let follow = move || {
        let wanted = topics();
        unfollow_all_but(&wanted);
        for topic in wanted {
            let is_followed =
                followed.with_value(|followed| followed.iter().any(|(known, _)| *known == topic));
            if !is_followed {
                let id = add_listener(&realtime.core().socket, &topic, on_update.clone());
                followed.update_value(|followed| followed.push((topic, id)));
            }
        }
    };
    Effect::new(Box::new(follow) as Box<dyn Fn()>);
    on_cleanup(move || unfollow_all_but(&[]));
}

fn add_listener(socket: &Rc<Socket>, topic: &Topic, on_update: Rc<dyn Fn(TopicUpdate)>) -> ListenerId {
    let name = topic.clone();
    let deliver = move |delivery| match delivery {
        Delivery::Head(_, seq) => on_update(TopicUpdate::Head(name.clone(), seq)),
        Delivery::Event(_, event) => on_update(TopicUpdate::Event(event)),
        Delivery::Presence(members) => on_update(TopicUpdate::Presence(name.clone(), members.total)),
        Delivery::Acked(..) | Delivery::Signal(..) | Delivery::Refused(_) => {}
    };
    socket.add_listener(topic, Listed::No, Rc::new(deliver))
}
