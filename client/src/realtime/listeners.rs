//! `Listeners`: who on this page listens to which topic.
//!
//! Several may listen to one topic (a list, and the page of one of its entries); the node sees one subscription, and
//! it is listed in the presence when any of them wants to be.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use shared::{ClientFrame, Epoch, Event, Identity, Listed, Payload, Problem, Seq, ServerFrame, Topic};

use super::Members;

/// What is heard of a topic.
#[derive(Debug, Clone)]
pub(super) enum Delivery {
    /// Its newest seq.
    Head(Epoch, Seq),
    /// Pushed, in that life of the log.
    Event(Epoch, Event),
    /// One of our own posts is durable; its event should arrive too.
    Acked(Epoch, Seq),
    /// Who is there.
    Presence(Members),
    /// Another session's word in passing.
    Signal(Identity, Payload),
    /// The node does not let us listen.
    Refused(Problem),
}

/// Names one listener, to take it away again.
pub(super) type ListenerId = u64;

type Hear = Rc<dyn Fn(Delivery)>;

struct Listener {
    id: ListenerId,
    topic: Topic,
    listed: Listed,
    hear: Hear,
}

/// All listeners of the page. They are few: a list is as good as a map.
#[derive(Default)]
pub(super) struct Listeners {
    all: RefCell<Vec<Listener>>,
    /// The life of the log in which the events of a topic count: what its last `head` named.
    told: RefCell<BTreeMap<Topic, Epoch>>,
    next_id: Cell<ListenerId>,
}

impl Listeners {
    /// Adds one, and says what to tell the node.
    pub(super) fn add(&self, topic: &Topic, listed: Listed, hear: Hear) -> (ListenerId, ClientFrame) {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        self.all.borrow_mut().push(Listener { id, topic: topic.clone(), listed, hear });
        (id, self.subscription(topic))
    }

    /// Takes one away, and says what to tell the node.
    pub(super) fn remove(&self, topic: &Topic, id: ListenerId) -> ClientFrame {
        self.all.borrow_mut().retain(|listener| listener.id != id);
        self.subscription(topic)
    }

    /// What to tell a node that knows nothing of us yet.
    pub(super) fn subscriptions(&self) -> Vec<ClientFrame> {
        let mut topics: Vec<Topic> = Vec::new();
        for listener in self.all.borrow().iter() {
            if !topics.contains(&listener.topic) {
                topics.push(listener.topic.clone());
            }
        }
        topics.iter().map(|topic| self.subscription(topic)).collect()
    }

    /// Hands a frame of the node to those whom it concerns.
    pub(super) fn hear(&self, frame: ServerFrame) {
        match frame {
            ServerFrame::Head { topic, epoch, seq } => {
                self.told.borrow_mut().insert(topic.clone(), epoch.clone());
                self.tell(&topic, Delivery::Head(epoch, seq));
            }
            ServerFrame::Event(event) => {
                // A head comes first on every connection.
                let epoch = self.told.borrow().get(&event.topic).cloned();
                if let Some(epoch) = epoch {
                    self.tell(&event.topic.clone(), Delivery::Event(epoch, event));
                }
            }
            ServerFrame::Presence { topic, total, members } => {
                self.tell(&topic, Delivery::Presence(Members { total, listed: members }));
            }
            ServerFrame::Signal { topic, from, payload } => {
                self.tell(&topic, Delivery::Signal(from, payload))
            }
            ServerFrame::Refused { topic, problem } => self.tell(&topic, Delivery::Refused(problem)),
            _ => {}
        }
    }

    /// Tells everyone who listens to the topic. They may come and go meanwhile.
    pub(super) fn tell(&self, topic: &Topic, arrival: Delivery) {
        let all = self.all.borrow();
        let concerned = all.iter().filter(|listener| listener.topic == *topic);
        let concerned: Vec<Hear> = concerned.map(|listener| listener.hear.clone()).collect();
        drop(all);
        for hear in concerned {
            hear(arrival.clone());
        }
    }

    /// What the node should know of the topic by now. Telling it twice is harmless.
    pub(super) fn subscription(&self, topic: &Topic) -> ClientFrame {
        let (all, topic) = (self.all.borrow(), topic.clone());
        let mut listed =
            all.iter().filter(|listener| listener.topic == topic).map(|listener| listener.listed);
        match listed.next() {
            None => ClientFrame::Unsubscribe { topic },
            Some(Listed::No) if listed.all(|listed| listed == Listed::No) => {
                ClientFrame::Subscribe { topic, listed: Listed::No }
            }
            Some(_) => ClientFrame::Subscribe { topic, listed: Listed::Yes },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(frame: &ClientFrame) -> String {
        serde_json::to_string(frame).unwrap()
    }

    #[test]
    fn two_listeners_are_one_subscription_which_is_listed_while_one_of_them_is() {
        let (listeners, topic) = (Listeners::default(), "probe:topic".parse().unwrap());
        let (list, first) = listeners.add(&topic, Listed::No, Rc::new(drop));
        assert_eq!(said(&first), r#"{"subscribe":{"topic":"probe:topic","listed":false}}"#);
        let (page, second) = listeners.add(&topic, Listed::Yes, Rc::new(drop));
        assert_eq!(said(&second), r#"{"subscribe":{"topic":"probe:topic","listed":true}}"#);
        assert_eq!(listeners.subscriptions(), [second]);
        assert_eq!(listeners.remove(&topic, page), first);
        assert_eq!(listeners.remove(&topic, list), ClientFrame::Unsubscribe { topic });
        assert!(listeners.subscriptions().is_empty());
    }

    #[test]
    fn a_listener_may_leave_while_it_listens() {
        let (listeners, topic) = (Rc::new(Listeners::default()), "probe:topic".parse().unwrap());
        let heard = Rc::new(Cell::new(0));
        let (inner, count, of) = (listeners.clone(), heard.clone(), Topic::clone(&topic));
        let hear = move |_| {
            count.set(count.get() + 1);
            inner.remove(&of, 0);
        };
        listeners.add(&topic, Listed::Yes, Rc::new(hear));
        let head = Delivery::Head(Epoch::try_from("e1".to_owned()).unwrap(), Seq(1));
        listeners.tell(&topic, head.clone());
        listeners.tell(&topic, head);
        assert_eq!(heard.get(), 1);
    }
}
