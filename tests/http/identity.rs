//! Guests: signing in, renaming, renewal and signing out; and cookies that are invalid.

use std::time::Instant;

use serde_json::json;
use shared::{ErrorCode, Identity, Part, endpoint};
use sqlx::{Connection, SqliteConnection};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::yield_now;

use crate::support::rate::ask_until_refused;
use crate::support::{Person, TestServer, probe};

#[tokio::test]
async fn a_request_without_a_cookie_is_not_signed_in() {
    let server = TestServer::start();
    let answer = server.stranger().get(endpoint::ME).await;
    assert_eq!((answer.status, answer.body.len(), answer.header("set-cookie")), (204, 0, ""));
}

#[tokio::test]
async fn choosing_a_name_creates_a_guest_with_a_cookie_that_scripts_cannot_read() {
    let server = TestServer::start();
    let mut ada = server.stranger();
    let answer = ada.post(endpoint::ME, &json!({ "name": "  Ada  " })).await;
    let identity: Identity = answer.json();
    assert_eq!((answer.status, identity.name.as_str()), (201, "Ada"));

    let cookie = answer.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let mut attributes: Vec<&str> = attributes.split("; ").collect();
    attributes.sort();
    assert_eq!(attributes, ["HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Lax"]);
    assert!(pair.split_once('=').unwrap().1.len() >= 22, "{pair} is too short for 128 bits");
    ada.cookie = Some(pair.into());
    assert_eq!(ada.get(endpoint::ME).await.json::<Identity>(), identity);
}

#[tokio::test]
async fn a_name_must_be_readable_for_others() {
    let server = TestServer::start();
    let nobody = server.stranger();
    let refused = [
        ("", "1 to 40"),
        (&"x".repeat(41), "1 to 40"),
        ("\u{200b}\u{3164}", "visible"),
        ("\u{301}\u{302}", "visible"),
        ("A\u{7}da", "control"),
        ("A\u{200b}da", "invisible"),
        ("Eve\u{202e}", "invisible"),
        ("\u{301}a", "begin"),
        (&format!("a{}", "\u{301}".repeat(39)), "accents"),
    ];
    for (name, why) in refused {
        let answer = nobody.post(endpoint::ME, &json!({ "name": name })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["name must", why]);
        assert_eq!(problem.errors[0].field, "name", "{name:?}");
    }
    for name in ["Zo\u{eb}", "李小龍", "👩\u{200d}💻 Grace", "علی\u{200c}رضا", "ශ\u{dca}\u{200d}රී"]
    {
        let answer = nobody.post(endpoint::ME, &json!({ "name": name })).await;
        assert_eq!(answer.json::<Identity>().name.as_str(), name);
    }
}

#[tokio::test]
async fn a_name_that_an_older_version_accepted_is_still_read() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut database = SqliteConnection::connect(&database(&server)).await.unwrap();
    sqlx::query("UPDATE accounts SET name = ?").bind("Eve\u{202e}").execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    assert_eq!(ada.get(endpoint::ME).await.json::<Identity>().name.as_str(), "Eve\u{202e}");
    ada.publish("topic", "k", "x").await;
    assert_eq!(ada.pull(&topic, Part::Newest).await.events[0].author.name.as_str(), "Eve\u{202e}");
}

#[tokio::test]
async fn the_database_does_not_contain_the_token() {
    let server = TestServer::start();
    let cookie = server.guest("Ada").await.cookie.unwrap();
    let token = cookie.split_once('=').unwrap().1.to_owned();
    let holds = |path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(token.len()).any(|window| window == token.as_bytes())
    };
    let files: Vec<_> =
        std::fs::read_dir(server.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 1, "there must be a database to search");
    assert!(!files.into_iter().any(holds));
}

#[tokio::test]
async fn choosing_another_name_renames_the_guest_and_events_keep_the_old_name() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    ada.publish("topic", "k1", "x").await;
    let answer = ada.post(endpoint::ME, &json!({ "name": "Countess" })).await;
    let renamed: Identity = answer.json();
    assert_eq!((answer.status, &renamed.id, renamed.name.as_str()), (200, &ada.identity.id, "Countess"));
    assert_eq!(ada.get(endpoint::ME).await.json::<Identity>(), renamed);

    ada.publish("topic", "k2", "x").await;
    let authors: Vec<Identity> =
        ada.pull(&topic, Part::Newest).await.events.into_iter().map(|e| e.author).collect();
    assert_eq!(authors, [ada.identity, renamed]);
}

#[tokio::test]
async fn two_guests_with_the_same_name_are_two_users() {
    let server = TestServer::start();
    let one = server.guest("Ada").await;
    let other = server.guest("Ada").await;
    assert_ne!(one.identity.id, other.identity.id);
    assert_ne!(one.cookie, other.cookie);
}

#[tokio::test]
async fn a_sign_in_survives_a_restart() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    server.kill();
    server.restart();
    assert_eq!(ada.get(endpoint::ME).await.json::<Identity>(), ada.identity);
}

#[tokio::test]
async fn a_sign_in_that_is_a_day_old_is_renewed_once() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    assert_eq!(ada.get(endpoint::ME).await.header("set-cookie"), "", "a new sign-in needs no renewal");
    server.terminate();
    server.ended().await;
    age_sign_ins(&server, 1).await;
    server.restart();

    let renewed = ada.get(endpoint::ME).await;
    let cookie = renewed.header("set-cookie");
    assert!(
        cookie.starts_with(ada.cookie.as_deref().unwrap()) && cookie.contains("Max-Age=34560000"),
        "{cookie}"
    );
    assert_eq!(ada.get(endpoint::ME).await.header("set-cookie"), "");
}

#[tokio::test]
async fn an_expired_sign_in_is_invalid_but_kept_in_case_the_clock_was_wrong() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    age_sign_ins(&server, 399).await;
    assert_eq!(ada.get(endpoint::ME).await.status, 200);
    age_sign_ins(&server, 450).await;
    assert_is_nobody(&ada).await;

    server.terminate();
    server.ended().await;
    server.restart();
    assert_is_nobody(&ada).await;
    age_sign_ins(&server, -450).await;
    assert_eq!(ada.get(endpoint::ME).await.status, 200, "the clock was corrected");
}

fn database(server: &TestServer) -> String {
    format!("sqlite:{}", server.data().join("duplex.db").display())
}

/// Makes all sign-ins look as if they were last renewed this many days earlier.
async fn age_sign_ins(server: &TestServer, days: i64) {
    let mut database = SqliteConnection::connect(&database(server)).await.unwrap();
    let aged = sqlx::query("UPDATE sign_ins SET renewed_at = renewed_at - 86400000 * ?");
    assert_eq!(aged.bind(days).execute(&mut database).await.unwrap().rows_affected(), 1);
    database.close().await.unwrap();
}

#[tokio::test]
async fn signing_out_invalidates_every_copy_of_the_cookie() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let answer = ada.delete(endpoint::ME).await;
    assert_eq!(answer.status, 204);
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("Max-Age=0") && cookie.contains("Path=/"), "{cookie} does not remove the cookie");
    assert_is_nobody(&ada).await;
    server.kill();
    server.restart();
    assert_is_nobody(&ada).await;
}

#[tokio::test]
async fn signing_out_twice_is_harmless() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    assert_eq!(ada.delete(endpoint::ME).await.status, 204);
    assert_eq!(ada.delete(endpoint::ME).await.status, 204);
    assert_eq!(server.stranger().delete(endpoint::ME).await.status, 204);
}

#[tokio::test]
async fn a_forged_cookie_is_invalid() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let real = ada.cookie.clone().unwrap();
    let (name, token) = real.split_once('=').unwrap();
    let mut changed = token.to_owned();
    let last = if changed.pop() == Some('a') { 'b' } else { 'a' };
    changed.push(last);
    for forged in [
        &changed,
        "",
        "x",
        "' OR 1=1 --",
        &token.to_uppercase(),
        &format!("{token}{token}"),
        &"x".repeat(4_000),
    ] {
        let mut forger = server.stranger();
        forger.cookie = Some(format!("{name}={forged}"));
        assert_is_nobody(&forger).await;
    }
    assert_eq!(
        ada.get(endpoint::ME).await.json::<Identity>(),
        ada.identity,
        "the real cookie is still valid"
    );
}

/// Asserts that a person is not signed in, and may not read, publish or open a socket.
async fn assert_is_nobody(person: &Person) {
    assert_eq!(person.get(endpoint::ME).await.status, 204, "{:?}", person.cookie);
    let refused = [
        person.get("/api/topics/probe:topic/events").await,
        person.try_publish("topic", "k", "x").await,
        person.handshake(&[]).await,
    ];
    for answer in refused {
        answer.is_refused(ErrorCode::Unauthenticated, &["/api/me"]);
    }
}

#[tokio::test]
async fn a_sign_out_whose_client_hangs_up_happens_completely_or_not_at_all() {
    let server = TestServer::with(&["--address-accounts-per-min", "10000"]);
    let begun = Instant::now();
    server.guest("Ada").await;
    // The delays range from 0 to twice the time of a write.
    let step = begun.elapsed() / 20;
    for attempt in 0..40 {
        let ada = server.guest("Ada").await;
        let socket = server.socket(&ada).await;
        let mut connection = TcpStream::connect(server.address()).await.unwrap();
        connection.set_zero_linger().unwrap();
        let cookie = ada.cookie.as_deref().unwrap();
        let request = format!("DELETE /api/me HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let sent = Instant::now();
        while sent.elapsed() < step * attempt {
            yield_now().await;
        }
        drop(connection);
        if ada.get(endpoint::ME).await.status == 204 {
            assert_eq!(socket.receive_close().await.1, 4001, "attempt {attempt}");
        }
    }
}

#[tokio::test]
async fn renaming_counts_toward_the_rate_of_publishing() {
    let server = TestServer::with(&["--identity-publishes-per-sec", "1"]);
    let ada = server.guest("Ada").await;
    let rename = async |number| ada.post(endpoint::ME, &json!({ "name": format!("Ada {number}") })).await;
    let (_, refused) = ask_until_refused(rename).await;
    refused.is_refused(ErrorCode::TooMany, &["publishes a second"]);
}
