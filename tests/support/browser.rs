//! `TestBrowser`: a reader without a screen, which keeps exactly the rules that the real client keeps.
//!
//! It drives shared's `Connection`, and reads each topic with shared's `Feed`. All that happens to it is in its
//! [`Record`], which a test waits on and judges.

use shared::{Ack, Seq, Status, Topic};
use tokio::sync::{mpsc, watch};

use super::{Answer, DEADLINE, Person, Reading, Record, TestServer, browser_loop};

/// See the module. Dropping it ends it as a crash would: nothing is said to the server.
pub struct TestBrowser {
    /// Who sits before it.
    pub person: Person,
    orders: mpsc::UnboundedSender<Order>,
    record: watch::Receiver<Record>,
}

/// What a test tells a browser to do.
pub enum Order {
    /// Open this topic.
    Watch(Topic),
    /// Close it.
    Unwatch(Topic),
    /// Take nothing from the socket from now on.
    StopReading,
    /// Go on.
    ReadOn,
    /// The server acknowledged a publish of ours.
    Acknowledged(Ack),
}

impl TestServer {
    /// A new guest's browser, connected and watching the topics.
    pub async fn browser(&self, name: &str, topics: &[&Topic]) -> TestBrowser {
        TestBrowser::open(self.guest(name).await, topics).await
    }
}

impl TestBrowser {
    /// A browser of that person that watches the topics, by socket or by poll, each read to its head.
    pub async fn open(person: Person, topics: &[&Topic]) -> TestBrowser {
        let (orders, to_do) = mpsc::unbounded_channel();
        let (notes, record) = watch::channel(Record::default());
        tokio::spawn(browser_loop::run(person.clone(), to_do, notes, None));
        let browser = TestBrowser { person, orders, record };
        topics.iter().for_each(|topic| browser.order(Order::Watch((*topic).clone())));
        let all = |record: &Record, are: fn(&Reading) -> bool| {
            topics.iter().all(|topic| record.topics.get(topic).is_some_and(are))
        };
        let fits = |record: &Record| match record.status {
            Status::Connected => all(record, Reading::is_live),
            Status::Polling => all(record, Reading::has_begun),
            _ => false,
        };
        browser
            .until("every topic has its first page, and its head where a socket comes through", fits)
            .await;
        browser
    }

    /// Opens one more topic.
    pub fn watch(&self, topic: &Topic) {
        self.order(Order::Watch(topic.clone()));
    }

    /// Closes a topic.
    pub fn unwatch(&self, topic: &Topic) {
        self.order(Order::Unwatch(topic.clone()));
    }

    /// Takes nothing from its socket any more.
    pub fn stops_reading(&self) {
        self.order(Order::StopReading);
    }

    /// Takes from its socket again.
    pub fn reads_on(&self) {
        self.order(Order::ReadOn);
    }

    /// Publishes to the probe's topic `name`, and keeps the rule for one's own acks.
    pub async fn publish(&self, name: &str, key: &str, text: &str) -> Answer {
        let answer = self.person.publish(name, key, text).await;
        if answer.status < 300 {
            self.order(Order::Acknowledged(answer.json()));
        }
        answer
    }

    /// Waits for a record that fits, and returns it. Fails the test at the deadline.
    pub async fn until(&self, what: &str, fits: impl FnMut(&Record) -> bool) -> Record {
        self.wait_for(what, fits).await;
        self.record()
    }

    /// Waits until the topic was read up to `seq`.
    pub async fn reaches(&self, topic: &Topic, seq: u64) {
        let fits = |record: &Record| record.topics.get(topic).is_some_and(|read| read.seq() >= Seq(seq));
        self.wait_for(&format!("{topic} is read up to {seq}"), fits).await;
    }

    /// Waits until the topic was read up to `seq`, and returns what was read.
    pub async fn until_read(&self, topic: &Topic, seq: u64) -> Reading {
        self.reaches(topic, seq).await;
        self.reading(topic)
    }

    /// What has happened so far.
    pub fn record(&self) -> Record {
        self.record.borrow().clone()
    }

    /// What it has read of a topic so far.
    pub fn reading(&self, topic: &Topic) -> Reading {
        self.record.borrow().topics.get(topic).cloned().unwrap_or_default()
    }

    async fn wait_for(&self, what: &str, fits: impl FnMut(&Record) -> bool) {
        let mut record = self.record.clone();
        if tokio::time::timeout(DEADLINE, record.wait_for(fits)).await.is_err() {
            panic!("{}: waited in vain: {what}; it has {}", self.person.identity.name, self.summary());
        }
    }

    fn order(&self, order: Order) {
        self.orders.send(order).expect("the loop runs for as long as the browser");
    }

    fn summary(&self) -> String {
        let record = self.record.borrow();
        let topics = record.topics.iter().map(|(topic, read)| {
            let Reading { events, pulls, started_over, heads, heads_in_mid_stream: late, pushed } = read;
            let (at, count) = (read.seq(), events.len());
            let ways =
                format!("{pushed} pushed, {pulls} pulls, {started_over} starts, {heads} heads, {late} late");
            format!("{topic}@{at}: {count} events, {ways}")
        });
        format!("{:?}, {}, closed {:?}", record.status, topics.collect::<Vec<_>>().join("; "), record.closed)
    }
}
