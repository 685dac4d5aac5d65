//! `TestBrowser`: a reader without a screen, which keeps exactly the rules that the real client keeps.
//!
//! It drives the `Connection` of `shared`, and reads each topic with a `Feed` of `shared`. Everything that happens to
//! it is in its [`Record`], which a test waits for and checks.

use shared::{Ack, Seq, Status, Topic};
use tokio::sync::{mpsc, watch};

use super::{DEADLINE, Person, Record, TestResponse, TestServer, TopicRecord, browser_loop};

/// A running browser. Dropping it ends it as a crash would: the server is not told.
pub struct TestBrowser {
    /// The user of the browser.
    pub person: Person,
    commands: mpsc::UnboundedSender<BrowserCommand>,
    record: watch::Receiver<Record>,
}

/// A command from a test to a browser.
pub enum BrowserCommand {
    Watch(Topic),
    Unwatch(Topic),
    /// Stops reading from the socket.
    StopReading,
    /// Resumes reading from the socket.
    ResumeReading,
    /// Reports that the server acknowledged a publish of this browser.
    Acknowledged(Ack),
}

impl TestServer {
    /// Opens the browser of a new guest, which watches the topics.
    pub async fn browser(&self, name: &str, topics: &[&Topic]) -> TestBrowser {
        TestBrowser::open(self.guest(name).await, topics).await
    }
}

impl TestBrowser {
    /// Opens a browser that watches the topics. Returns once it is connected or polls, and has read each topic to its
    /// head.
    pub async fn open(person: Person, topics: &[&Topic]) -> TestBrowser {
        let (commands, received) = mpsc::unbounded_channel();
        let (observer, record) = watch::channel(Record::default());
        tokio::spawn(browser_loop::run(person.clone(), received, observer, None));
        let browser = TestBrowser { person, commands, record };
        for topic in topics {
            browser.watch(topic);
        }
        let all = |record: &Record, is_ready: fn(&TopicRecord) -> bool| {
            topics.iter().all(|topic| record.topics.get(topic).is_some_and(is_ready))
        };
        let is_ready = |record: &Record| match record.status {
            Status::Connected => all(record, TopicRecord::is_live),
            Status::Polling => all(record, TopicRecord::has_first_page),
            _ => false,
        };
        browser.wait_until("every topic has its first page, and its head unless it polls", is_ready).await;
        browser
    }

    /// Opens one more topic.
    pub fn watch(&self, topic: &Topic) {
        self.command(BrowserCommand::Watch(topic.clone()));
    }

    pub fn unwatch(&self, topic: &Topic) {
        self.command(BrowserCommand::Unwatch(topic.clone()));
    }

    /// Stops reading from the socket.
    pub fn stop_reading(&self) {
        self.command(BrowserCommand::StopReading);
    }

    /// Resumes reading from the socket.
    pub fn resume_reading(&self) {
        self.command(BrowserCommand::ResumeReading);
    }

    /// Publishes to the probe's topic `name`. If the server acknowledges it, the browser expects the push, as the real
    /// client does.
    pub async fn try_publish(&self, name: &str, key: &str, text: &str) -> TestResponse {
        let answer = self.person.try_publish(name, key, text).await;
        if answer.status < 300 {
            self.command(BrowserCommand::Acknowledged(answer.json()));
        }
        answer
    }

    /// Waits until the record fits, and returns it. Fails the test at the deadline.
    pub async fn wait_until(&self, condition: &str, fits: impl FnMut(&Record) -> bool) -> Record {
        self.wait(condition, fits).await;
        self.record()
    }

    /// Waits until the topic was read up to `seq`.
    pub async fn wait_for_seq(&self, topic: &Topic, seq: u64) {
        let fits = |record: &Record| record.topics.get(topic).is_some_and(|topic| topic.seq() >= Seq(seq));
        self.wait(&format!("{topic} is read up to {seq}"), fits).await;
    }

    /// Waits until the topic was read up to `seq`, and returns its record.
    pub async fn read_up_to(&self, topic: &Topic, seq: u64) -> TopicRecord {
        self.wait_for_seq(topic, seq).await;
        self.topic_record(topic)
    }

    /// Returns everything that has happened so far.
    pub fn record(&self) -> Record {
        self.record.borrow().clone()
    }

    /// Returns everything that has happened to a topic so far.
    pub fn topic_record(&self, topic: &Topic) -> TopicRecord {
        self.record.borrow().topics.get(topic).cloned().unwrap_or_default()
    }

    async fn wait(&self, condition: &str, fits: impl FnMut(&Record) -> bool) {
        let mut record = self.record.clone();
        if tokio::time::timeout(DEADLINE, record.wait_for(fits)).await.is_err() {
            let name = &self.person.identity.name;
            panic!("{name}: timed out waiting for: {condition}; the record: {}", self.summary());
        }
    }

    fn command(&self, command: BrowserCommand) {
        self.commands.send(command).expect("the loop runs for as long as the browser");
    }

    fn summary(&self) -> String {
        let record = self.record.borrow();
        let topics = record.topics.iter().map(|(name, topic)| {
            let TopicRecord { events, pulls, started_over, heads, late_heads, pushed } = topic;
            format!(
                "{name} at {}: {} events, {pushed} pushed, {pulls} pulls, {started_over} starts, \
                 {heads} heads, {late_heads} of them late",
                topic.seq(),
                events.len()
            )
        });
        format!("{:?}, {}, closed {:?}", record.status, topics.collect::<Vec<_>>().join("; "), record.closed)
    }
}
