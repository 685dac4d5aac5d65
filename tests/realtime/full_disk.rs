//! A full disk: nothing can be published, everything can be read, nothing acknowledged is lost, and the node recovers
//! by itself once there is space.

use serde_json::{Value, json};
use shared::{ErrorCode, endpoint};

use crate::support::{Person, SmallDisk, TestServer, eventually, probe};

/// Almost the largest payload, so that a disk is soon full.
const TEXT_BYTES: usize = 8_000;

fn database_url(disk: &SmallDisk) -> String {
    format!("sqlite:{}", disk.path().join("duplex.db").display())
}

fn server_on(disk: &SmallDisk) -> TestServer {
    TestServer::with(&["--database", &database_url(disk), "--identity-publishes-per-sec", "100000"])
}

/// Publishes until a publish is refused. Returns the acknowledged keys, and the refused one.
async fn publish_until_refused(ada: &Person, name: &str) -> (Vec<String>, String) {
    let mut acknowledged = Vec::new();
    for number in 0..2_000 {
        let key = format!("{name}-{number}");
        let answer = ada.try_publish("topic", &key, &"x".repeat(TEXT_BYTES)).await;
        if answer.status != 201 {
            answer.is_refused(ErrorCode::Unavailable, &["the log cannot be written", "the same key"]);
            assert_eq!(answer.header("retry-after"), "1");
            return (acknowledged, key);
        }
        acknowledged.push(key);
    }
    panic!("the disk does not fill up");
}

/// Makes every sign-in two days old, so that the next request tries to renew it. Returns the number of sign-ins.
async fn age_every_sign_in(disk: &SmallDisk) -> u64 {
    let database = sqlx::SqlitePool::connect(&database_url(disk)).await.unwrap();
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

async fn wait_until_ready(ada: &Person) {
    eventually("the node is ready again", async || (readiness(ada).await.0 == 200).then_some(())).await;
}

#[tokio::test]
async fn a_full_disk_stops_only_publishing_and_the_node_recovers_by_itself() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let server = server_on(&disk);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let reader = server.browser("Grace", &[&topic]).await;
    ada.publish("topic", "before", "x").await;
    let aged = age_every_sign_in(&disk).await;
    assert!(aged >= 2, "{aged}");
    disk.fill();
    let (acknowledged, refused) = publish_until_refused(&ada, "full").await;

    let not_ready = json!({ "ready": false, "reasons": ["the log cannot be written"] });
    assert_eq!(readiness(&ada).await, (503, not_ready));
    assert_eq!(ada.get("/healthz").await.status, 200);
    let signed_in = server.stranger().post(endpoint::ME, &json!({ "name": "Joan" })).await;
    signed_in.is_refused(ErrorCode::Unavailable, &["written"]);
    assert_eq!(ada.get(endpoint::ME).await.status, 200, "a renewal that fails does not sign anybody out");
    let mut keys = vec!["before".to_owned()];
    keys.extend(acknowledged);
    assert_eq!(ada.keys(&topic).await, keys);

    disk.clear();
    wait_until_ready(&ada).await;
    ada.publish("topic", &refused, "y").await;
    server.guest("Joan").await;
    keys.push(refused);
    assert_eq!(ada.keys(&topic).await, keys);
    let record = reader.read_up_to(&topic, keys.len() as u64).await;
    assert_eq!(record.seqs(), (1..=keys.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_disk_that_fills_up_repeatedly_loses_no_acknowledged_event_even_with_kill_9() {
    let Some(disk) = SmallDisk::mount(8) else { return };
    let mut server = server_on(&disk);
    let topic = probe("topic");
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
        wait_until_ready(&ada).await;
        for number in 0..3 {
            let key = format!("healed{round}-{number}");
            ada.publish("topic", &key, &"x".repeat(TEXT_BYTES)).await;
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
    wait_until_ready(&ada).await;
}
