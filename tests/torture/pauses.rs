//! A process stands still for longer than two heartbeats, as on a laptop whose lid is closed: the node, or a client.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use shared::{Status, Topic};

use crate::support::{
    FaultyLink, METRICS, Person, Record, TestBrowser, TestServer, eventually, probe, signal,
};

const EVERY_SECOND: [&str; 2] = ["--heartbeat-secs", "1"];
/// Variables that tell the process of a reader where to go and as whom.
const URL: &str = "READER_URL";
const COOKIE: &str = "READER_COOKIE";

#[tokio::test]
async fn readers_of_a_node_that_stood_still_come_back_by_themselves() {
    let (server, topic) = (TestServer::with(&EVERY_SECOND), probe("topic"));
    let link = FaultyLink::to(server.address()).await;
    link.forbid_sockets();
    let ada = server.guest("Ada").await;
    let polling = TestBrowser::open(server.guest("Joan").await.through(&link), &[&topic]).await;
    let pushed = [server.browser("Grace", &[&topic]).await, server.browser("Eve", &[&topic]).await];
    ada.publishes_many("topic", "before-", 3).await;

    server.pause();
    let writer = ada.clone();
    let asked = tokio::spawn(async move { writer.publish("topic", "meanwhile", "x").await });
    for reader in &pushed {
        reader.until("it gives up", |record| record.status != Status::Connected).await;
    }
    server.resume();
    assert_eq!(asked.await.unwrap().status, 201);
    assert_eq!(ada.publish("topic", "meanwhile", "x").await.status, 200, "it is there once");
    ada.publishes_many("topic", "after-", 3).await;

    let both = [("Eve", 1), ("Grace", 1)];
    for reader in &pushed {
        reader.until("it is back", |record| record.status == Status::Connected).await;
        reader.until("presence is right", |record| record.members() == both).await;
    }
    for reader in pushed.iter().chain([&polling]) {
        let reading = reader.until_read(&topic, 7).await;
        assert_eq!((reading.seqs(), reading.started_over), ((1..=7).collect(), 1));
    }
}

#[tokio::test]
async fn a_client_that_stood_still_comes_back_by_itself() {
    let server = TestServer::with(&[&EVERY_SECOND[..], &METRICS].concat());
    let topic = probe("topic");
    let grace = server.browser("Grace", &[&topic]).await;
    let ada = server.guest("Ada").await;
    let reader = ReaderProcess::starts(&server, &ada);
    grace.until("both are there", |record| record.members() == [("Ada", 1), ("Grace", 1)]).await;
    ada.publishes_many("topic", "before-", 3).await;
    reader.says("3 events up to 3, begun once").await;

    signal("STOP", reader.child.id());
    server.tells("duplex_sessions", 1.0).await;
    ada.publishes_many("topic", "meanwhile-", 3).await;
    signal("CONT", reader.child.id());
    reader.says("6 events up to 6, begun once").await;
    server.tells("duplex_sessions", 2.0).await;
    ada.publishes("topic", "after", "x").await;
    reader.says("7 events up to 7, begun once").await;
    grace.until("both are there", |record| record.members() == [("Ada", 1), ("Grace", 1)]).await;
}

/// A `TestBrowser` in a process of its own, which can stand still without the test. Dropping it ends the process.
struct ReaderProcess {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl ReaderProcess {
    fn starts(server: &TestServer, person: &Person) -> ReaderProcess {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["torture::pauses::the_process_of_a_reader", "--exact", "--ignored", "--nocapture"])
            .env(URL, server.url())
            .env(COOKIE, person.cookie.as_deref().unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (output, lines) = (child.stdout.take().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let heard = lines.clone();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.for_each(|line| heard.lock().unwrap().push(line));
        });
        ReaderProcess { child, lines }
    }

    async fn says(&self, line: &str) {
        eventually(line, async || self.lines.lock().unwrap().iter().any(|said| said == line).then_some(()))
            .await;
    }
}

impl Drop for ReaderProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
#[ignore = "no test: a process that the test of a client that stood still starts"]
async fn the_process_of_a_reader() {
    let (Ok(url), Ok(cookie)) = (std::env::var(URL), std::env::var(COOKIE)) else { return };
    let topic = probe("topic");
    let reader = TestBrowser::open(Person::at(url, Some(cookie)), &[&topic]).await;
    let mut said = String::new();
    loop {
        let record = reader.until("something new", |record| line(record, &topic) != said).await;
        said = line(&record, &topic);
        println!("{said}");
    }
}

/// A line about what was read.
fn line(record: &Record, topic: &Topic) -> String {
    let reading = &record.topics[topic];
    let begun =
        if reading.started_over == 1 { "once".into() } else { format!("{} times", reading.started_over) };
    format!("{} events up to {}, begun {begun}", reading.events.len(), reading.seq())
}
