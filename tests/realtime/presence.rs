//! Presence: complete, prompt, rarely sent, and without flicker.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use shared::{ClientFrame, Listed, Member, ServerFrame, Topic, endpoint};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{METRICS, Person, Socket, TestServer, in_time, probe, read_frame};

/// An immediate update may be delayed by the pause between two updates and by a busy machine. A lost member would stay
/// ten seconds.
const AT_ONCE: Duration = Duration::from_secs(7);

impl Socket {
    /// Receives the next frame that is not a ping.
    async fn receive_any(&mut self) -> ServerFrame {
        loop {
            let message = in_time("a frame", self.next()).await;
            let message = message.expect("the socket is open").expect("the socket works");
            let Message::Text(text) = message else { panic!("{message:?} is not a frame") };
            match read_frame(&text) {
                ServerFrame::Ping { .. } => {}
                frame => return frame,
            }
        }
    }

    /// Receives the next presence: its total and its members.
    async fn receive_presence(&mut self) -> (u64, Vec<Member>) {
        loop {
            if let ServerFrame::Presence { total, members, .. } = self.receive_any().await {
                return (total, members);
            }
        }
    }

    /// Receives presences until one has these members, with their numbers of sessions. Returns the number of presences
    /// before.
    async fn receive_until_present(&mut self, expected: &[(&str, u32)]) -> usize {
        let mut others = 0;
        while names(&self.receive_presence().await.1) != expected {
            others += 1;
        }
        others
    }
}

fn names(members: &[Member]) -> Vec<(&str, u32)> {
    members.iter().map(|member| (member.name.as_str(), member.sessions)).collect()
}

async fn join(server: &TestServer, person: &Person, topic: &Topic) -> Socket {
    let mut socket = server.socket(person).await;
    socket.subscribe(topic).await;
    socket.receive_head(topic).await;
    socket
}

#[tokio::test]
async fn presence_follows_the_head_and_two_windows_are_one_member() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let grace = server.guest("Grace").await;
    let mut first = server.socket(&ada).await;
    first.subscribe(&topic).await;
    assert!(matches!(first.receive_any().await, ServerFrame::Head { .. }));
    assert_eq!(names(&first.receive_presence().await.1), [("Ada", 1)]);

    let mut other = join(&server, &grace, &topic).await;
    first.receive_until_present(&[("Ada", 1), ("Grace", 1)]).await;
    let _second = join(&server, &ada, &topic).await;
    for socket in [&mut first, &mut other] {
        socket.receive_until_present(&[("Ada", 2), ("Grace", 1)]).await;
    }
}

#[tokio::test]
async fn a_lost_member_stays_ten_seconds_and_one_who_returns_by_then_never_left() {
    let server = TestServer::with(&METRICS);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let eve = server.guest("Eve").await;
    let adas = join(&server, &ada, &topic).await;
    let eves = join(&server, &eve, &topic).await;
    let mut watcher = join(&server, &server.guest("Grace").await, &topic).await;
    watcher.receive_until_present(&[("Ada", 1), ("Eve", 1), ("Grace", 1)]).await;
    let lost = Instant::now();
    drop((adas, eves));
    server.wait_for_metric("duplex_sessions", 1.0).await;
    let _back = join(&server, &ada, &topic).await;

    assert_eq!(
        watcher.receive_until_present(&[("Ada", 1), ("Grace", 1)]).await,
        0,
        "no other presence was sent in the meantime"
    );
    let took = lost.elapsed();
    assert!((Duration::from_secs(9)..Duration::from_secs(13)).contains(&took), "it took {took:?}");
}

#[tokio::test]
async fn a_member_who_unsubscribes_or_signs_out_leaves_at_once() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let eve = server.guest("Eve").await;
    let mut adas = join(&server, &ada, &topic).await;
    let eves = join(&server, &eve, &topic).await;
    let mut watcher = join(&server, &server.guest("Grace").await, &topic).await;
    watcher.receive_until_present(&[("Ada", 1), ("Eve", 1), ("Grace", 1)]).await;
    let started = Instant::now();
    adas.send_frame(&ClientFrame::Unsubscribe { topic }).await;
    watcher.receive_until_present(&[("Eve", 1), ("Grace", 1)]).await;
    eve.delete(endpoint::ME).await;
    // The node waits a moment for the answer to its close frame.
    tokio::join!(eves.receive_close(), watcher.receive_until_present(&[("Grace", 1)]));
    assert!(started.elapsed() < AT_ONCE, "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn an_observer_who_becomes_a_member_gets_the_presence_even_if_it_is_unchanged() {
    let server = TestServer::with(&METRICS);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let listed = join(&server, &ada, &topic).await;
    let mut other = server.socket(&ada).await;
    other.send_frame(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::No }).await;
    other.receive_until_present(&[("Ada", 1)]).await;
    drop(listed);
    server.wait_for_metric("duplex_sessions", 1.0).await;

    // It takes the place of the window that was closed.
    other.send_frame(&ClientFrame::Subscribe { topic, listed: Listed::Yes }).await;
    assert_eq!(other.receive_until_present(&[("Ada", 1)]).await, 0);
}

#[tokio::test]
async fn a_new_name_is_sent_at_once() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut adas = join(&server, &ada, &topic).await;
    adas.receive_until_present(&[("Ada", 1)]).await;
    let started = Instant::now();
    assert_eq!(ada.post(endpoint::ME, &json!({ "name": "Countess" })).await.status, 200);
    adas.receive_until_present(&[("Countess", 1)]).await;
    assert!(started.elapsed() < AT_ONCE, "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn an_unlisted_subscriber_gets_the_presence_and_is_not_in_it() {
    let server = TestServer::start();
    let topic = probe("topic");
    let mut overview = server.socket(&server.guest("Overview").await).await;
    overview.send_frame(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::No }).await;
    overview.receive_head(&topic).await;
    assert_eq!(overview.receive_presence().await, (0, vec![]));
    let mut adas = join(&server, &server.guest("Ada").await, &topic).await;
    overview.receive_until_present(&[("Ada", 1)]).await;
    assert_eq!(names(&adas.receive_presence().await.1), [("Ada", 1)]);
    adas.send_frame(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::No }).await;
    overview.receive_until_present(&[]).await;
}

#[tokio::test]
async fn a_crowd_is_counted_completely_listed_partially_and_sent_at_most_four_times_a_second() {
    let server = TestServer::start();
    let topic = probe("topic");
    let begun = Instant::now();
    let mut watcher = join(&server, &server.guest("First").await, &topic).await;
    let mut crowd = Vec::new();
    for number in 2..=60 {
        crowd.push(join(&server, &server.guest(&format!("Guest {number}")).await, &topic).await);
    }
    let mut presences = 1;
    let members = loop {
        match watcher.receive_presence().await {
            (60, members) => break members,
            _ => presences += 1,
        }
    };
    assert_eq!((members.len(), members[0].name.as_str()), (50, "First"), "the members who joined first");
    let allowed = begun.elapsed().as_secs_f64() * 4.0 + 2.0;
    assert!(f64::from(presences) <= allowed, "{presences} presences in {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_reader_that_does_not_read_gets_the_latest_presence_once_and_not_each_change() {
    let flags = ["--mailbox-frames-max", "16", "--identity-publishes-per-sec", "100000"];
    let server = TestServer::with(&flags);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut stuck = join(&server, &server.guest("Stuck").await, &topic).await;
    let mut adas = join(&server, &ada, &topic).await;
    stuck.receive_until_present(&[("Stuck", 1), ("Ada", 1)]).await;
    let publishes = (0..10).map(async |number| {
        for part in 0..30 {
            ada.publish("topic", &format!("k{number}-{part}"), &"x".repeat(8_000)).await;
        }
    });
    join_all(publishes).await;
    for number in 1..=6 {
        let name = format!("Ada {number}");
        ada.post(endpoint::ME, &json!({ "name": &name })).await;
        adas.receive_until_present(&[("Stuck", 1), (&name, 1)]).await;
    }

    let others = stuck.receive_until_present(&[("Stuck", 1), ("Ada 6", 1)]).await;
    assert_eq!(others, 0, "it got presences that were outdated by then");
}
