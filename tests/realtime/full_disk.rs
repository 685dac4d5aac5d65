//! A disk that is full: nothing can be published, everything can be read, nothing acknowledged is lost, and it all
//! heals by itself once there is room.

use serde_json::{Value, json};
use shared::{ErrorCode, endpoint};

use crate::support::{Person, SmallDisk, TestServer, eventually, probe};

/// As large as a payload may be, so that a disk is soon full.
const TEXT_BYTES: usize = 8_000;

fn log_url(disk: &SmallDisk) -> String {
    format!("sqlite:{}", disk.path().join("duplex.db").display())
}

fn server_on(disk: &SmallDisk) -> TestServer {
    TestServer::with(&["--database", &log_url(disk), "--identity-publishes-per-sec", "100000"])
}

/// Publishes until it is refused. The keys that were acknowledged, and the one that was not.
async fn publish_until_refused(ada: &Person, name: &str) -> (Vec<String>, String) {
    let mut acknowledged = Vec::new();
    for number in 0..2_000 {
        let key = format!("{name}-{number}");
        let answer = ada.publish("topic", &key, &"x".repeat(TEXT_BYTES)).await;
        if answer.status != 201 {
            answer.is_refused(ErrorCode::Unavailable, &["the log cannot be written", "the same key"]);
            assert_eq!(answer.header("retry-after"), "1");
            return (acknowledged, key);
        }
        acknowledged.push(key);
    }
    panic!("the disk is never full");
}

/// Makes every sign-in so old, two days, that the next request wants to renew it.
async fn ages_every_sign_in(disk: &SmallDisk) -> u64 {
    let database = sqlx::SqlitePool::connect(&log_url(disk)).await.unwrap();
    let aged = sqlx::query("UPDATE sign_ins SET renewed_at = renewed_at - 172800000")
        .execute(&database)
        .await
        .unwrap();
    database.close().await;
    aged.rows_affected()
}

async fn readiness(ada: &Person) -> (u16, Value) {
    let answer = ada.get("/readyz").await;
    (answer.status, serde_json::from_str(answer.text()).unwrap())
}

async fn until_ready(ada: &Person) {
    eventually("the node is ready again", async || (readiness(ada).await.0 == 200).then_some(())).await;
}

#[tokio::test]
async fn a_full_disk_ends_publishing_and_nothing_else_and_heals_by_itself() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let (server, topic) = (server_on(&disk), probe("topic"));
    let ada = server.guest("Ada").await;
    let reader = server.browser("Grace", &[&topic]).await;
    ada.publishes("topic", "before", "x").await;
    let renewed = ages_every_sign_in(&disk).await;
    assert!(renewed >= 2, "{renewed}");
    disk.fill();
    let (acknowledged, refused) = publish_until_refused(&ada, "full").await;

    let red = json!({ "ready": false, "reasons": ["the log cannot be written"] });
    assert_eq!(readiness(&ada).await, (503, red));
    assert_eq!(ada.get("/healthz").await.status, 200);
    let signed_in = server.stranger().post(endpoint::ME, &json!({ "name": "Joan" })).await;
    signed_in.is_refused(ErrorCode::Unavailable, &["written"]);
    assert_eq!(ada.get(endpoint::ME).await.status, 200, "though her sign-in could not be renewed");
    let mut keys = vec!["before".to_owned()];
    keys.extend(acknowledged);
    assert_eq!(ada.keys(&topic).await, keys);

    disk.clear();
    until_ready(&ada).await;
    ada.publishes("topic", &refused, "y").await;
    server.guest("Joan").await;
    keys.push(refused);
    assert_eq!(ada.keys(&topic).await, keys);
    let reading = reader.until_read(&topic, keys.len() as u64).await;
    assert_eq!(reading.seqs(), (1..=keys.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_disk_that_fills_up_again_and_again_loses_nothing_acknowledged_not_even_to_kill_9() {
    let Some(disk) = SmallDisk::mount(8) else { return };
    let (mut server, topic) = (server_on(&disk), probe("topic"));
    let ada = server.guest("Ada").await;
    let mut keys = Vec::new();
    for round in 0..6 {
        disk.fill();
        keys.extend(publish_until_refused(&ada, &format!("round{round}")).await.0);
        assert_eq!(ada.keys(&topic).await, keys);
        if round % 2 == 1 {
            server.kill();
        }
        disk.clear();
        if round % 2 == 1 {
            server.restart();
        }
        until_ready(&ada).await;
        for number in 0..3 {
            let key = format!("healed{round}-{number}");
            ada.publishes("topic", &key, &"x".repeat(TEXT_BYTES)).await;
            keys.push(key);
        }
        assert_eq!(ada.keys(&topic).await, keys);
    }
}

#[tokio::test]
async fn a_disk_that_is_full_before_anybody_publishes_makes_the_node_not_ready() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let server = server_on(&disk);
    let ada = server.guest("Ada").await;
    disk.fill();
    assert_eq!(readiness(&ada).await.0, 503);
    disk.clear();
    until_ready(&ada).await;
}
