//! Who is here: told soon, in full and seldom, and without flicker.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use shared::{ClientFrame, Listed, Member, ServerFrame, Topic, endpoint};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{METRICS, Person, Socket, TestServer, in_time, probe, read_frame};

/// What is told at once may wait for the pause between two tellings, and for a busy machine; who is lost stays ten
/// seconds.
const AT_ONCE: Duration = Duration::from_secs(7);

impl Socket {
    /// The next frame of any kind, but for the node's pings.
    async fn hears_any(&mut self) -> ServerFrame {
        loop {
            let message = in_time("a frame", self.next()).await.expect("still open").expect("still whole");
            let Message::Text(text) = message else { panic!("{message:?} is no frame") };
            match read_frame(&text) {
                ServerFrame::Ping { .. } => {}
                frame => return frame,
            }
        }
    }

    /// The next word on who is here.
    async fn hears_presence(&mut self) -> (u64, Vec<Member>) {
        loop {
            if let ServerFrame::Presence { total, members, .. } = self.hears_any().await {
                return (total, members);
            }
        }
    }

    /// Waits until these are told to be here, with so many sessions each; returns how often it was told otherwise.
    async fn hears_of(&mut self, expected: &[(&str, u32)]) -> usize {
        let mut otherwise = 0;
        while names(&self.hears_presence().await.1) != expected {
            otherwise += 1;
        }
        otherwise
    }
}

fn names(members: &[Member]) -> Vec<(&str, u32)> {
    members.iter().map(|member| (member.name.as_str(), member.sessions)).collect()
}

async fn there(server: &TestServer, person: &Person, topic: &Topic) -> Socket {
    let mut socket = server.socket(person).await;
    socket.subscribes(topic).await;
    socket.hears_head(topic).await;
    socket
}

#[tokio::test]
async fn who_comes_is_told_after_the_head_and_two_windows_are_one_member() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let (ada, grace) = (server.guest("Ada").await, server.guest("Grace").await);
    let mut first = server.socket(&ada).await;
    first.subscribes(&topic).await;
    assert!(matches!(first.hears_any().await, ServerFrame::Head { .. }));
    assert_eq!(names(&first.hears_presence().await.1), [("Ada", 1)]);

    let mut other = there(&server, &grace, &topic).await;
    first.hears_of(&[("Ada", 1), ("Grace", 1)]).await;
    let _second = there(&server, &ada, &topic).await;
    for socket in [&mut first, &mut other] {
        socket.hears_of(&[("Ada", 2), ("Grace", 1)]).await;
    }
}

#[tokio::test]
async fn a_lost_connection_stays_ten_seconds_and_who_is_back_by_then_was_never_gone() {
    let (server, topic) = (TestServer::with(&METRICS), probe("topic"));
    let (ada, eve) = (server.guest("Ada").await, server.guest("Eve").await);
    let (adas, eves) = (there(&server, &ada, &topic).await, there(&server, &eve, &topic).await);
    let mut watcher = there(&server, &server.guest("Grace").await, &topic).await;
    watcher.hears_of(&[("Ada", 1), ("Eve", 1), ("Grace", 1)]).await;
    let lost = Instant::now();
    drop((adas, eves));
    server.tells("duplex_sessions", 1.0).await;
    let _back = there(&server, &ada, &topic).await;

    assert_eq!(watcher.hears_of(&[("Ada", 1), ("Grace", 1)]).await, 0, "nothing else was told meanwhile");
    let took = lost.elapsed();
    assert!((Duration::from_secs(9)..Duration::from_secs(13)).contains(&took), "it took {took:?}");
}

#[tokio::test]
async fn who_unsubscribes_or_signs_out_is_gone_at_once() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let (ada, eve) = (server.guest("Ada").await, server.guest("Eve").await);
    let (mut adas, eves) = (there(&server, &ada, &topic).await, there(&server, &eve, &topic).await);
    let mut watcher = there(&server, &server.guest("Grace").await, &topic).await;
    watcher.hears_of(&[("Ada", 1), ("Eve", 1), ("Grace", 1)]).await;
    let asked = Instant::now();
    adas.says(&ClientFrame::Unsubscribe { topic }).await;
    watcher.hears_of(&[("Eve", 1), ("Grace", 1)]).await;
    eve.delete(endpoint::ME).await;
    // Whoever closes waits a moment for the answer to it.
    tokio::join!(eves.closed(), watcher.hears_of(&[("Grace", 1)]));
    assert!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
}

#[tokio::test]
async fn who_comes_in_where_they_only_looked_before_is_told_even_if_nothing_has_changed() {
    let (server, topic) = (TestServer::with(&METRICS), probe("topic"));
    let ada = server.guest("Ada").await;
    let listed = there(&server, &ada, &topic).await;
    let mut other = server.socket(&ada).await;
    other.says(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::No }).await;
    other.hears_of(&[("Ada", 1)]).await;
    drop(listed);
    server.tells("duplex_sessions", 1.0).await;

    // It takes over the seat of the window that was closed.
    other.says(&ClientFrame::Subscribe { topic, listed: Listed::Yes }).await;
    assert_eq!(other.hears_of(&[("Ada", 1)]).await, 0);
}

#[tokio::test]
async fn a_new_name_is_told_at_once() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.guest("Ada").await;
    let mut adas = there(&server, &ada, &topic).await;
    adas.hears_of(&[("Ada", 1)]).await;
    let asked = Instant::now();
    assert_eq!(ada.post(endpoint::ME, &json!({ "name": "Countess" })).await.status, 200);
    adas.hears_of(&[("Countess", 1)]).await;
    assert!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
}

#[tokio::test]
async fn who_is_not_listed_hears_who_is_here_and_is_not_seen() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let mut overview = server.socket(&server.guest("Overview").await).await;
    overview.says(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::No }).await;
    overview.hears_head(&topic).await;
    assert_eq!(overview.hears_presence().await, (0, vec![]));
    let mut adas = there(&server, &server.guest("Ada").await, &topic).await;
    overview.hears_of(&[("Ada", 1)]).await;
    assert_eq!(names(&adas.hears_presence().await.1), [("Ada", 1)]);
    adas.says(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::No }).await;
    overview.hears_of(&[]).await;
}

#[tokio::test]
async fn a_crowd_is_counted_in_full_listed_in_part_and_told_four_times_a_second_at_most() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let begun = Instant::now();
    let mut watcher = there(&server, &server.guest("First").await, &topic).await;
    let mut crowd = Vec::new();
    for number in 2..=60 {
        crowd.push(there(&server, &server.guest(&format!("Guest {number}")).await, &topic).await);
    }
    let mut told = 1;
    let members = loop {
        match watcher.hears_presence().await {
            (60, members) => break members,
            _ => told += 1,
        }
    };
    assert_eq!((members.len(), members[0].name.as_str()), (50, "First"), "those who were here first");
    let allowed = begun.elapsed().as_secs_f64() * 4.0 + 2.0;
    assert!(f64::from(told) <= allowed, "told {told} times in {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_told_once_and_not_of_each_change() {
    let flags = ["--mailbox-frames-max", "16", "--identity-publishes-per-sec", "100000"];
    let (server, topic) = (TestServer::with(&flags), probe("topic"));
    let ada = server.guest("Ada").await;
    let (mut stuck, mut adas) =
        (there(&server, &server.guest("Stuck").await, &topic).await, there(&server, &ada, &topic).await);
    stuck.hears_of(&[("Stuck", 1), ("Ada", 1)]).await;
    let publishes = (0..10).map(async |number| {
        for part in 0..30 {
            ada.publishes("topic", &format!("k{number}-{part}"), &"x".repeat(8_000)).await;
        }
    });
    join_all(publishes).await;
    for number in 1..=6 {
        let name = format!("Ada {number}");
        ada.post(endpoint::ME, &json!({ "name": &name })).await;
        adas.hears_of(&[("Stuck", 1), (&name, 1)]).await;
    }

    let otherwise = stuck.hears_of(&[("Stuck", 1), ("Ada 6", 1)]).await;
    assert_eq!(otherwise, 0, "it was told of what had changed again by then");
}
