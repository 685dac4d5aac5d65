//! The disk returns errors: a sync fails, a write fails, the disk is full. Nothing is acknowledged that is not on disk,
//! the node is not ready while it cannot write, reading continues, and the node recovers by itself.

use serde_json::{Value, json};
use shared::ErrorCode;

use super::disk::{Errno, FailureCount, StepKind};
use super::fixture::{DiskFixture, InitialLog};
use super::is_long;
use crate::support::eventually;

const TEXT: &str = "a text";

#[tokio::test]
async fn a_brief_error_is_reported_and_the_next_publish_succeeds() {
    let once = FailureCount::Next(1);
    tokio::join!(
        fail_and_recover(&[StepKind::Sync], once, Errno::Broken),
        fail_and_recover(&[StepKind::Write], once, Errno::Full),
        fail_and_recover(&[StepKind::Write, StepKind::Sync], FailureCount::Next(3), Errno::Broken),
    );
}

#[tokio::test]
async fn a_node_is_not_ready_for_as_long_as_errors_last() {
    tokio::join!(
        fail_and_recover(&[StepKind::Sync], FailureCount::ForEver, Errno::Broken),
        fail_and_recover(&[StepKind::Write], FailureCount::ForEver, Errno::Full),
    );
    if is_long() {
        fail_and_recover(&[StepKind::Write], FailureCount::ForEver, Errno::Broken).await;
        fail_and_recover(&[StepKind::Sync, StepKind::Write], FailureCount::ForEver, Errno::Full).await;
    }
}

async fn fail_and_recover(kinds: &[StepKind], count: FailureCount, errno: Errno) {
    eprintln!("{kinds:?} fail: {count:?}, {errno:?}");
    let mut fixture = DiskFixture::with(InitialLog::Stopped).await;
    fixture.reset();
    assert!(fixture.server.try_restart_with_env(fixture.disk.env_vars()));
    let mut author = fixture.author.clone().unwrap();
    assert!(author.publish(3, TEXT).await);

    fixture.disk.fail(kinds, count, errno);
    let refused = author.person.try_publish("other", "refused", TEXT).await;
    refused.is_refused(ErrorCode::Unavailable, &["the log cannot be written", "the same key"]);
    assert!(fixture.disk.failed() > 0);
    if matches!(count, FailureCount::ForEver) {
        assert!(!author.publish_one(TEXT).await);
        let ready = author.person.get("/readyz").await;
        let not_ready = json!({ "ready": false, "reasons": ["the log cannot be written"] });
        assert_eq!((ready.status, serde_json::from_str::<Value>(ready.text()).unwrap()), (503, not_ready));
        assert_eq!(author.person.get("/healthz").await.status, 200);
    }
    author.check_log(&fixture.server).await.unwrap();

    fixture.disk.mend();
    if matches!(count, FailureCount::ForEver) {
        let ready = async || (author.person.get("/readyz").await.status == 200).then_some(());
        eventually("the node is ready again", ready).await;
    }
    assert!(author.retry_unanswered().await && author.publish(3, TEXT).await);
    author.check_log(&fixture.server).await.unwrap();

    // The node is killed while the disk fails.
    fixture.disk.fail(kinds, count, errno);
    author.publish(3, TEXT).await;
    fixture.server.kill();
    fixture.assert_recovers(&[&author]).await;
}
