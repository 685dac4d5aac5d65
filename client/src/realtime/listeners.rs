//! `Listeners`: the parts of this tab that listen to topics.
//!
//! Several may listen to one topic, such as a list of topics and the open one. The node sees one subscription for
//! them all, which is listed in the presence if any of them asks for that.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use shared::{ClientFrame, Epoch, Event, Identity, Listed, Payload, Problem, Seq, ServerFrame, Topic};

use super::members::Members;

/// A frame of the node, or an ack, as it is delivered to the listeners of its topic.
#[derive(Debug, Clone)]
pub(super) enum Delivery {
    /// The newest seq of the topic.
    Head(Epoch, Seq),
    /// An event that the node pushed in that epoch.
    Event(Epoch, Event),
    /// A post of this tab is durable; its event is still to come.
    Acked(Epoch, Seq),
    /// The members of the topic.
    Presence(Members),
    /// A signal of another session.
    Signal(Identity, Payload),
    /// The node refuses the subscription.
    Refused(Problem),
}

/// Identifies a listener, for removing it.
pub(super) type ListenerId = u64;

/// The function that takes the deliveries of a listener.
pub(super) type Deliver = Rc<dyn Fn(Delivery)>;

struct TopicListener {
    id: ListenerId,
    topic: Topic,
    listed: Listed,
    deliver: Deliver,
}

/// All listeners of the tab. They are few: a list is as good as a map.
#[derive(Default)]
pub(super) struct Listeners {
    all: RefCell<Vec<TopicListener>>,
    /// The epoch that the last `head` frame of each topic named; pushed events carry none and belong to it.
    ///
    /// Example: after `head` with epoch `a`, an `event` with seq 7 is seq 7 of epoch `a`.
    epochs: RefCell<BTreeMap<Topic, Epoch>>,
    next_id: Cell<ListenerId>,
}

impl Listeners {
    /// Adds a listener. Returns the frame that tells the node.
    pub(super) fn add(&self, topic: &Topic, listed: Listed, deliver: Deliver) -> (ListenerId, ClientFrame) {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        self.all.borrow_mut().push(TopicListener { id, topic: topic.clone(), listed, deliver });
        (id, self.subscription(topic))
    }

    /// Removes a listener. Returns the frame that tells the node.
    pub(super) fn remove(&self, topic: &Topic, id: ListenerId) -> ClientFrame {
        self.all.borrow_mut().retain(|listener| listener.id != id);
        self.subscription(topic)
    }

    /// The frames that subscribe a new connection to every topic that has a listener.
    pub(super) fn subscriptions(&self) -> Vec<ClientFrame> {
        let mut topics: Vec<Topic> = Vec::new();
        for listener in self.all.borrow().iter() {
            if !topics.contains(&listener.topic) {
                topics.push(listener.topic.clone());
            }
        }
        topics.iter().map(|topic| self.subscription(topic)).collect()
    }

    /// Delivers a frame of the node to the listeners of its topic.
    pub(super) fn receive(&self, frame: ServerFrame) {
        match frame {
            ServerFrame::Head { topic, epoch, seq } => {
                self.epochs.borrow_mut().insert(topic.clone(), epoch.clone());
                self.deliver(&topic, Delivery::Head(epoch, seq));
            }
            ServerFrame::Event(event) => {
                // The node sends a `head` for the topic first, on every connection.
                let epoch = self.epochs.borrow().get(&event.topic).cloned();
                if let Some(epoch) = epoch {
                    self.deliver(&event.topic.clone(), Delivery::Event(epoch, event));
                }
            }
            ServerFrame::Presence { topic, total, members } => {
                self.deliver(&topic, Delivery::Presence(Members { total, listed: members }));
            }
            ServerFrame::Signal { topic, from, payload } => {
                self.deliver(&topic, Delivery::Signal(from, payload));
            }
            ServerFrame::Refused { topic, problem } => self.deliver(&topic, Delivery::Refused(problem)),
            _ => {}
        }
    }

    /// Delivers to everyone who listens to the topic. Listeners may be added and removed during the calls.
    pub(super) fn deliver(&self, topic: &Topic, delivery: Delivery) {
        let all = self.all.borrow();
        let concerned = all.iter().filter(|listener| listener.topic == *topic);
        let concerned: Vec<Deliver> = concerned.map(|listener| listener.deliver.clone()).collect();
        drop(all);
        for deliver in concerned {
            deliver(delivery.clone());
        }
    }

    /// The frame that states the topic's subscription as it should be now. Sending it twice is harmless.
    pub(super) fn subscription(&self, topic: &Topic) -> ClientFrame {
        let topic = topic.clone();
        let all = self.all.borrow();
        let mut listeners = all.iter().filter(|listener| listener.topic == topic).peekable();
        if listeners.peek().is_none() {
            return ClientFrame::Unsubscribe { topic };
        }
        let is_listed = listeners.any(|listener| listener.listed == Listed::Yes);
        ClientFrame::Subscribe { topic, listed: Listed::from(is_listed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(frame: &ClientFrame) -> String {
        serde_json::to_string(frame).unwrap()
    }

    #[test]
    fn two_listeners_share_one_subscription_that_is_listed_while_either_asks_for_it() {
        let listeners = Listeners::default();
        let topic = "probe:topic".parse().unwrap();
        let (list, first) = listeners.add(&topic, Listed::No, Rc::new(drop));
        assert_eq!(json(&first), r#"{"subscribe":{"topic":"probe:topic","listed":false}}"#);
        let (open, second) = listeners.add(&topic, Listed::Yes, Rc::new(drop));
        assert_eq!(json(&second), r#"{"subscribe":{"topic":"probe:topic","listed":true}}"#);
        assert_eq!(listeners.subscriptions(), [second]);
        assert_eq!(listeners.remove(&topic, open), first);
        assert_eq!(listeners.remove(&topic, list), ClientFrame::Unsubscribe { topic });
        assert!(listeners.subscriptions().is_empty());
    }

    #[test]
    fn a_listener_may_remove_itself_during_a_delivery() {
        let listeners = Rc::new(Listeners::default());
        let topic: Topic = "probe:topic".parse().unwrap();
        let deliveries = Rc::new(Cell::new(0));
        let deliver = {
            let listeners = listeners.clone();
            let topic = topic.clone();
            let deliveries = deliveries.clone();
            move |_| {
                deliveries.set(deliveries.get() + 1);
                listeners.remove(&topic, 0);
            }
        };
        listeners.add(&topic, Listed::Yes, Rc::new(deliver));
        let head = Delivery::Head(Epoch::try_from("e1".to_owned()).unwrap(), Seq(1));
        listeners.deliver(&topic, head.clone());
        listeners.deliver(&topic, head);
        assert_eq!(deliveries.get(), 1);
    }
}
