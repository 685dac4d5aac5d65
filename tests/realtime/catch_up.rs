//! Readers that lost their connection, their server or their log come back by themselves, with all events once.

use realtime::Draft;
use server::storage::{Location, NewEpoch, Storage};
use shared::{CloseReason, Key, Payload, Seq, ServerFrame, Status};

use crate::support::{TestServer, probe};

#[tokio::test]
async fn what_one_publishes_the_others_are_pushed() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.browser("Ada", &[&topic]).await;
    let grace = server.browser("Grace", &[&topic]).await;
    ada.person.publishes_many("topic", "a", 10).await;

    for browser in [&ada, &grace] {
        let reading = browser.until_read(&topic, 10).await;
        assert_eq!(reading.seqs(), (1..=10).collect::<Vec<_>>());
        assert_eq!((reading.pushed, reading.pulls), (10, 1), "pushed, with no pull beyond the first page");
        assert!(reading.events.iter().all(|event| event.author == ada.person.identity));
    }
}

#[tokio::test]
async fn a_reader_gets_what_was_there_before_and_what_comes_meanwhile() {
    let (server, topic) = (TestServer::with(&["--identity-publishes-per-sec", "100000"]), probe("topic"));
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "before", 30).await;
    let writing = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.publishes_many("topic", "meanwhile", 100).await })
    };
    let mut readers = Vec::new();
    while !writing.is_finished() {
        readers.push(server.browser("Grace", &[&topic]).await);
    }
    writing.await.unwrap();

    assert!(readers.len() > 1, "nobody came meanwhile");
    for reader in readers {
        let seqs = reader.until_read(&topic, 130).await.seqs();
        assert_eq!(seqs, (seqs[0]..=130).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn after_kill_9_and_restart_every_reader_catches_up_by_itself() {
    let (mut server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.browser("Ada", &[&topic]).await;
    let grace = server.browser("Grace", &[&topic]).await;
    ada.person.publishes_many("topic", "first", 5).await;
    server.kill();
    for browser in [&ada, &grace] {
        browser.until("the loss is noticed", |record| record.status != Status::Connected).await;
    }
    server.restart();
    ada.person.publishes_many("topic", "second", 5).await;

    for browser in [&ada, &grace] {
        let reading = browser.until_read(&topic, 10).await;
        assert_eq!(reading.seqs(), (1..=10).collect::<Vec<_>>());
        assert_eq!(reading.started_over, 1, "it went on from where it was");
    }
}

#[tokio::test]
async fn a_new_epoch_makes_every_reader_start_over() {
    let (mut server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.browser("Ada", &[&topic]).await;
    ada.person.publishes_many("topic", "k", 5).await;
    ada.until_read(&topic, 5).await;
    server.kill();
    server.restart_with(&["--new-epoch"]);

    let starts = |record: &crate::support::Record| record.topics[&topic].started_over;
    let record = ada.until("it starts over", |record| starts(record) == 2).await;
    assert_eq!(record.topics[&topic].seqs(), [1, 2, 3, 4, 5]);
    let epochs: Vec<_> = record
        .frames
        .iter()
        .filter_map(|frame| if let ServerFrame::Head { epoch, .. } = frame { Some(epoch) } else { None })
        .collect();
    assert_ne!(epochs.first(), epochs.last());
}

#[tokio::test]
async fn a_server_that_stops_in_order_tells_when_to_come_back_and_is_obeyed() {
    let (mut server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.browser("Ada", &[&topic]).await;
    server.terminate();
    let record = ada.until("the socket is closed", |record| !record.closed.is_empty()).await;
    let drained = record.frames.iter().any(|frame| matches!(frame, ServerFrame::Drain { .. }));
    assert_eq!((record.closed, drained), (vec![CloseReason::ServiceRestart], true));

    assert!(server.ended().await.success());
    server.restart();
    ada.until("it is back", |record| record.status == Status::Connected && record.opened == 2).await;
    ada.person.publishes("topic", "k", "x").await;
    assert_eq!(ada.until_read(&topic, 1).await.seq(), Seq(1));
}

#[tokio::test]
async fn who_signs_out_is_closed_with_4001_and_stays_away() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.browser("Ada", &[&topic]).await;
    let grace = server.browser("Grace", &[&topic]).await;
    assert_eq!(ada.person.delete(shared::endpoint::ME).await.status, 204);

    let record = ada.until("it is signed out", |record| record.status == Status::SignedOut).await;
    assert_eq!((record.closed, record.opened), (vec![CloseReason::IdentityEnded], 1));
    assert_eq!(grace.record().status, Status::Connected, "nobody else is");
}

#[tokio::test]
async fn ones_own_event_is_pulled_when_its_push_does_not_come() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.browser("Ada", &[&topic]).await;
    ada.stops_reading();
    assert_eq!(ada.publish("topic", "k", "x").await.status, 201);
    let reading = ada.until_read(&topic, 1).await;
    assert_eq!((reading.pushed, reading.pulls), (0, 2));
    ada.reads_on();
    assert_eq!(
        ada.until("the push comes late", |record| record.topics[&topic].pushed == 1).await.topics[&topic]
            .seqs(),
        [1]
    );
}

#[tokio::test]
async fn an_event_of_which_the_node_was_not_told_is_found_within_a_beat() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.browser("Ada", &[&topic]).await;
    let file = Location::of_file(&server.data().join("duplex.db")).unwrap();
    let log = Storage::open(&file, NewEpoch::Keep).await.unwrap().log;
    let payload = Payload::of(&"past the node").unwrap();
    let (author, key) = (ada.person.identity.clone(), Key::try_from("k").unwrap());
    let appended = log.append(vec![Draft { topic: topic.clone(), author, key, at: 1, payload }]).await;
    assert!(appended[0].is_ok(), "{appended:?}");

    assert_eq!(ada.until_read(&topic, 1).await.seqs(), [1]);
}

#[tokio::test]
async fn an_unwatched_topic_is_read_no_further() {
    let (server, quiet, busy) = (TestServer::start(), probe("quiet"), probe("busy"));
    let ada = server.browser("Ada", &[&quiet, &busy]).await;
    ada.unwatch(&quiet);
    ada.person.publishes("busy", "k1", "x").await;
    ada.until_read(&busy, 1).await;
    ada.person.publishes("quiet", "k1", "x").await;
    ada.person.publishes("busy", "k2", "x").await;
    ada.until_read(&busy, 2).await;

    assert_eq!(ada.reading(&quiet).pushed, 0);
    ada.watch(&quiet);
    assert_eq!(ada.until_read(&quiet, 1).await.seqs(), [1]);
}
