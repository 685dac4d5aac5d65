//! A process stands still for longer than two heartbeats, as on a laptop whose lid is closed: the node, or a client.

use std::sync::mpsc::{Sender, channel};

use shared::Status;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::support::{FaultyLink, METRICS, TestBrowser, TestServer, probe};

const EVERY_SECOND: [&str; 2] = ["--heartbeat-secs", "1"];

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
    let (topic, client) = (probe("topic"), Client::default());
    let grace = server.browser("Grace", &[&topic]).await;
    let ada = server.guest("Ada").await;
    let (person, reads) = (ada.clone(), topic.clone());
    let opening = client.does(async move { TestBrowser::open(person, &[&reads]).await });
    let reader = opening.await.unwrap();
    let both = [("Ada", 1), ("Grace", 1)];
    grace.until("both are there", |record| record.members() == both).await;
    ada.publishes_many("topic", "before-", 3).await;
    reader.until_read(&topic, 3).await;

    let standing = client.stands_still();
    server.tells("duplex_sessions", 1.0).await;
    ada.publishes_many("topic", "meanwhile-", 3).await;
    drop(standing);
    reader.until_read(&topic, 6).await;
    server.tells("duplex_sessions", 2.0).await;
    ada.publishes("topic", "after", "x").await;
    let reading = reader.until_read(&topic, 7).await;
    assert_eq!((reading.seqs(), reading.started_over), ((1..=7).collect(), 1));
    grace.until("both are there again", |record| record.members() == both).await;
}

/// A thread of its own for a client, which can stand still without the test: then it reads nothing, answers nothing and
/// sees no timer, while the kernel keeps its connections, as of a process that was stopped.
struct Client {
    /// Always there, until it is dropped.
    runtime: Option<Runtime>,
}

impl Client {
    /// Stands still until what this returns is dropped.
    fn stands_still(&self) -> Sender<()> {
        let (goes_on, standing) = channel();
        // It is the only thread, and blocked. It fails once the other end is dropped.
        self.does(async move { standing.recv().ok() });
        goes_on
    }

    /// Does that on its thread.
    fn does<T: Send + 'static>(&self, what: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.as_ref().expect("it is there").spawn(what)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // To wait for its end is not allowed where others run, and it may stand still.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Default for Client {
    fn default() -> Client {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Client { runtime: Some(runtime.expect("it is only a thread")) }
    }
}
