//! The disk gives errors: a sync fails, a write fails, there is no room. Nothing is acknowledged that is not on disk,
//! the node is not ready for as long as it cannot write, reading goes on, and it heals by itself.

use serde_json::{Value, json};
use shared::ErrorCode;

use super::disk::{Errno, Kind, Times};
use super::is_long;
use super::stage::{Found, Stage};
use crate::support::eventually;

const TEXT: &str = "in bad times";

#[tokio::test]
async fn an_error_for_a_moment_is_told_and_the_next_publish_succeeds() {
    let moment = Times::Next(1);
    tokio::join!(
        fails_and_heals(&[Kind::Sync], moment, Errno::Broken),
        fails_and_heals(&[Kind::Write], moment, Errno::Full),
        fails_and_heals(&[Kind::Write, Kind::Sync], Times::Next(3), Errno::Broken),
    );
}

#[tokio::test]
async fn errors_that_last_make_the_node_red_until_they_end() {
    tokio::join!(
        fails_and_heals(&[Kind::Sync], Times::ForEver, Errno::Broken),
        fails_and_heals(&[Kind::Write], Times::ForEver, Errno::Full),
    );
    if is_long() {
        fails_and_heals(&[Kind::Write], Times::ForEver, Errno::Broken).await;
        fails_and_heals(&[Kind::Sync, Kind::Write], Times::ForEver, Errno::Full).await;
    }
}

async fn fails_and_heals(kinds: &[Kind], times: Times, errno: Errno) {
    eprintln!("{kinds:?} fail: {times:?}, {errno:?}");
    let mut stage = Stage::with(Found::Stopped).await;
    stage.set();
    assert!(stage.server.restarts_under(stage.disk.variables()));
    let mut author = stage.author.clone().unwrap();
    assert!(author.publishes(3, TEXT).await);

    stage.disk.fail(kinds, times, errno);
    let refused = author.person.publish("other", "refused", TEXT).await;
    refused.is_refused(ErrorCode::Unavailable, &["the log cannot be written", "the same key"]);
    assert!(stage.disk.failed() > 0);
    if matches!(times, Times::ForEver) {
        assert!(!author.publishes_one(TEXT).await);
        let ready = author.person.get("/readyz").await;
        let red = json!({ "ready": false, "reasons": ["the log cannot be written"] });
        assert_eq!((ready.status, serde_json::from_str::<Value>(ready.text()).unwrap()), (503, red));
        assert_eq!(author.person.get("/healthz").await.status, 200);
    }
    author.judges(&stage.server).await.unwrap();

    stage.disk.mend();
    if matches!(times, Times::ForEver) {
        let ready = async || (author.person.get("/readyz").await.status == 200).then_some(());
        eventually("the node is ready again", ready).await;
    }
    assert!(author.asks_again().await && author.publishes(3, TEXT).await);
    author.judges(&stage.server).await.unwrap();

    // It is killed in the middle of it.
    stage.disk.fail(kinds, times, errno);
    author.publishes(3, TEXT).await;
    stage.server.kill();
    stage.goes_on(&[&author]).await;
}
