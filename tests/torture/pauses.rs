//! A process is suspended for longer than two heartbeats, as on a laptop whose lid is closed: the node, or a client.

use std::sync::mpsc::{Sender, channel};

use shared::Status;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::support::{FaultyLink, METRICS, TestBrowser, TestServer, probe};

const EVERY_SECOND: [&str; 2] = ["--heartbeat-secs", "1"];

#[tokio::test]
async fn readers_of_a_suspended_node_reconnect_by_themselves() {
    let server = TestServer::with(&EVERY_SECOND);
    let topic = probe("topic");
    let link = FaultyLink::to(server.address()).await;
    link.forbid_sockets();
    let ada = server.guest("Ada").await;
    let polling = TestBrowser::open(server.guest("Joan").await.through(&link), &[&topic]).await;
    let pushed = [server.browser("Grace", &[&topic]).await, server.browser("Eve", &[&topic]).await];
    ada.publish_many("topic", "before-", 3).await;

    server.pause();
    let writer = ada.clone();
    let publish = tokio::spawn(async move { writer.try_publish("topic", "meanwhile", "x").await });
    for reader in &pushed {
        reader.wait_until("the reader gives up", |record| record.status != Status::Connected).await;
    }
    server.resume();
    assert_eq!(publish.await.unwrap().status, 201);
    assert_eq!(ada.try_publish("topic", "meanwhile", "x").await.status, 200, "the event is there once");
    ada.publish_many("topic", "after-", 3).await;

    let both = [("Eve", 1), ("Grace", 1)];
    for reader in &pushed {
        reader.wait_until("the reader is back", |record| record.status == Status::Connected).await;
        reader.wait_until("presence is correct", |record| record.members() == both).await;
    }
    for reader in pushed.iter().chain([&polling]) {
        let record = reader.read_up_to(&topic, 7).await;
        assert_eq!((record.seqs(), record.started_over), ((1..=7).collect(), 1));
    }
}

#[tokio::test]
async fn a_suspended_client_reconnects_by_itself() {
    let server = TestServer::with(&[&EVERY_SECOND[..], &METRICS].concat());
    let topic = probe("topic");
    let client = ClientThread::default();
    let grace = server.browser("Grace", &[&topic]).await;
    let ada = server.guest("Ada").await;
    let person = ada.clone();
    let watched = topic.clone();
    let opening = client.run(async move { TestBrowser::open(person, &[&watched]).await });
    let reader = opening.await.unwrap();
    let both = [("Ada", 1), ("Grace", 1)];
    grace.wait_until("both are present", |record| record.members() == both).await;
    ada.publish_many("topic", "before-", 3).await;
    reader.read_up_to(&topic, 3).await;

    let suspension = client.suspend();
    server.wait_for_metric("duplex_sessions", 1.0).await;
    ada.publish_many("topic", "meanwhile-", 3).await;
    drop(suspension);
    reader.read_up_to(&topic, 6).await;
    server.wait_for_metric("duplex_sessions", 2.0).await;
    ada.publish("topic", "after", "x").await;
    let record = reader.read_up_to(&topic, 7).await;
    assert_eq!((record.seqs(), record.started_over), ((1..=7).collect(), 1));
    grace.wait_until("both are present again", |record| record.members() == both).await;
}

/// A separate thread for a client, which can be suspended without the test. It then reads nothing, answers nothing and
/// handles no timers, while the kernel keeps its connections, as for a process that was stopped.
struct ClientThread {
    /// `Some` until it is dropped.
    runtime: Option<Runtime>,
}

impl ClientThread {
    /// Suspends the thread until the returned sender is dropped.
    fn suspend(&self) -> Sender<()> {
        let (resume, resumed) = channel();
        // It blocks the only thread of the runtime, and fails once the sender is dropped.
        self.run(async move { resumed.recv().ok() });
        resume
    }

    /// Runs work on the thread.
    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.as_ref().expect("it is not dropped").spawn(work)
    }
}

impl Drop for ClientThread {
    fn drop(&mut self) {
        // Waiting is not allowed in an asynchronous context, and the thread may be suspended.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Default for ClientThread {
    fn default() -> ClientThread {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        ClientThread { runtime: Some(runtime.expect("a thread can be started")) }
    }
}
