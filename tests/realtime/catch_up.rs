//! Readers that lost their connection, their server or their log recover by themselves, with all events once.

use realtime::Draft;
use server::storage::{Location, NewEpoch, Storage};
use shared::{CloseReason, Key, Payload, Seq, ServerFrame, Status};

use crate::support::{NO_PUBLISH_LIMIT, TestServer, probe};

#[tokio::test]
async fn an_event_is_pushed_to_all_readers() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.browser("Ada", &[&topic]).await;
    let grace = server.browser("Grace", &[&topic]).await;
    ada.person.publish_many("topic", "a", 10).await;

    for browser in [&ada, &grace] {
        let record = browser.read_up_to(&topic, 10).await;
        assert_eq!(record.seqs(), (1..=10).collect::<Vec<_>>());
        assert_eq!(
            (record.pushed, record.pulls),
            (10, 1),
            "all events are pushed; the only pull is the first page"
        );
        assert!(record.events.iter().all(|event| event.author == ada.person.identity));
    }
}

#[tokio::test]
async fn a_reader_that_joins_while_events_are_published_misses_none() {
    let server = TestServer::with(&NO_PUBLISH_LIMIT);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "before", 30).await;
    let writing = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.publish_many("topic", "meanwhile", 100).await })
    };
    let mut readers = Vec::new();
    while !writing.is_finished() {
        readers.push(server.browser("Grace", &[&topic]).await);
    }
    writing.await.unwrap();

    assert!(readers.len() > 1, "no reader came while events were published");
    for reader in readers {
        let seqs = reader.read_up_to(&topic, 130).await.seqs();
        assert_eq!(seqs, (seqs[0]..=130).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn every_reader_catches_up_by_itself_after_kill_9_and_a_restart() {
    let mut server = TestServer::start();
    let topic = probe("topic");
    let ada = server.browser("Ada", &[&topic]).await;
    let grace = server.browser("Grace", &[&topic]).await;
    ada.person.publish_many("topic", "first", 5).await;
    server.kill();
    for browser in [&ada, &grace] {
        browser.wait_until("the reader notices the loss", |record| record.status != Status::Connected).await;
    }
    server.restart();
    ada.person.publish_many("topic", "second", 5).await;

    for browser in [&ada, &grace] {
        let record = browser.read_up_to(&topic, 10).await;
        assert_eq!(record.seqs(), (1..=10).collect::<Vec<_>>());
        assert_eq!(record.started_over, 1, "it continued at its position");
    }
}

#[tokio::test]
async fn a_new_epoch_makes_every_reader_start_over() {
    let mut server = TestServer::start();
    let topic = probe("topic");
    let ada = server.browser("Ada", &[&topic]).await;
    ada.person.publish_many("topic", "k", 5).await;
    ada.read_up_to(&topic, 5).await;
    server.kill();
    server.restart_with(&["--new-epoch"]);

    let starts = |record: &crate::support::Record| record.topics[&topic].started_over;
    let record = ada.wait_until("the reader starts over", |record| starts(record) == 2).await;
    assert_eq!(record.topics[&topic].seqs(), [1, 2, 3, 4, 5]);
    let epochs: Vec<_> = record
        .frames
        .iter()
        .filter_map(|frame| if let ServerFrame::Head { epoch, .. } = frame { Some(epoch) } else { None })
        .collect();
    assert_ne!(epochs.first(), epochs.last());
}

#[tokio::test]
async fn readers_reconnect_when_a_server_that_stops_gracefully_told_them_to() {
    let mut server = TestServer::start();
    let topic = probe("topic");
    let ada = server.browser("Ada", &[&topic]).await;
    server.terminate();
    let record = ada.wait_until("the socket is closed", |record| !record.closed.is_empty()).await;
    let drained = record.frames.iter().any(|frame| matches!(frame, ServerFrame::Drain { .. }));
    assert_eq!((record.closed, drained), (vec![CloseReason::ServiceRestart], true));

    assert!(server.ended().await.success());
    server.restart();
    ada.wait_until("the reader is back", |record| record.status == Status::Connected && record.opened == 2)
        .await;
    ada.person.publish("topic", "k", "x").await;
    assert_eq!(ada.read_up_to(&topic, 1).await.seq(), Seq(1));
}

#[tokio::test]
async fn a_person_who_signs_out_is_closed_with_4001_and_does_not_reconnect() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.browser("Ada", &[&topic]).await;
    let grace = server.browser("Grace", &[&topic]).await;
    assert_eq!(ada.person.delete(shared::endpoint::ME).await.status, 204);

    let record =
        ada.wait_until("the reader is signed out", |record| record.status == Status::SignedOut).await;
    assert_eq!((record.closed, record.opened), (vec![CloseReason::IdentityEnded], 1));
    assert_eq!(grace.record().status, Status::Connected, "nobody else is signed out");
}

#[tokio::test]
async fn a_readers_own_event_is_pulled_if_its_push_does_not_arrive() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.browser("Ada", &[&topic]).await;
    ada.stop_reading();
    assert_eq!(ada.try_publish("topic", "k", "x").await.status, 201);
    let record = ada.read_up_to(&topic, 1).await;
    assert_eq!((record.pushed, record.pulls), (0, 2));
    ada.resume_reading();
    assert_eq!(
        ada.wait_until("the late push arrives", |record| record.topics[&topic].pushed == 1).await.topics
            [&topic]
            .seqs(),
        [1]
    );
}

#[tokio::test]
async fn an_event_that_bypassed_the_node_is_found_within_a_heartbeat() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.browser("Ada", &[&topic]).await;
    let file = Location::of_file(&server.data().join("duplex.db")).unwrap();
    let log = Storage::open(&file, NewEpoch::Keep).await.unwrap().log;
    let payload = Payload::of(&"past the node").unwrap();
    let author = ada.person.identity.clone();
    let key = Key::try_from("k").unwrap();
    let appended = log.append(vec![Draft { topic: topic.clone(), author, key, at: 1, payload }]).await;
    assert!(appended[0].is_ok(), "{appended:?}");

    assert_eq!(ada.read_up_to(&topic, 1).await.seqs(), [1]);
}

#[tokio::test]
async fn an_unwatched_topic_is_not_read_any_more() {
    let server = TestServer::start();
    let quiet = probe("quiet");
    let busy = probe("busy");
    let ada = server.browser("Ada", &[&quiet, &busy]).await;
    ada.unwatch(&quiet);
    ada.person.publish("busy", "k1", "x").await;
    ada.read_up_to(&busy, 1).await;
    ada.person.publish("quiet", "k1", "x").await;
    ada.person.publish("busy", "k2", "x").await;
    ada.read_up_to(&busy, 2).await;

    assert_eq!(ada.topic_record(&quiet).pushed, 0);
    ada.watch(&quiet);
    assert_eq!(ada.read_up_to(&quiet, 1).await.seqs(), [1]);
}
