//! Publishing: the answers, and the events in the log.

use shared::{Ack, ErrorCode, Part, Seq, endpoint};

use crate::support::{TestServer, probe};

#[tokio::test]
async fn a_publish_is_answered_with_201_and_its_position() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    for seq in 1..=3 {
        let answer = ada.try_publish("topic", &format!("k{seq}"), "x").await;
        assert_eq!((answer.status, answer.header(endpoint::IDEMPOTENCY_REPLAYED)), (201, ""));
        let ack: Ack = answer.json();
        let page = ada.pull(&topic, Part::Newest).await;
        assert_eq!(ack, Ack { topic: topic.clone(), epoch: page.epoch, seq: Seq(seq) });
        assert_eq!(page.head, Seq(seq));
    }
}

#[tokio::test]
async fn a_published_text_is_read_back_exactly() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let texts = ["", "  spaces kept  ", "ü 漢字 🦀 e\u{301}", "\u{0}\u{1f}\"\\</script>", "\u{feff}\u{202e}"];
    for (number, text) in texts.iter().enumerate() {
        ada.publish("topic", &format!("k{number}"), text).await;
    }
    let page = ada.pull(&topic, Part::Newest).await;
    let read: Vec<String> = page.events.iter().map(|event| event.payload.as_json().to_owned()).collect();
    let sent: Vec<String> =
        texts.iter().map(|text| serde_json::json!({ "text": text }).to_string()).collect();
    assert_eq!(read, sent);
}

#[tokio::test]
async fn a_payload_may_be_as_large_as_its_limit_and_no_larger() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let frame = r#"{"text":""}"#.len();
    ada.publish("topic", "fits", &"x".repeat(8_192 - frame)).await;
    let larger = ada.try_publish("topic", "larger", &"x".repeat(8_192 - frame + 1)).await;
    larger.is_refused(ErrorCode::TooLarge, &["too long", "8192"]);
    assert_eq!(ada.keys(&probe("topic")).await, ["fits"]);
}

#[tokio::test]
async fn a_key_may_have_one_to_sixty_four_characters() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let long = "k".repeat(64);
    for key in ["0", "aZ09_-", &long] {
        ada.publish("topic", key, "x").await;
    }
    assert_eq!(ada.keys(&probe("topic")).await, ["0", "aZ09_-", &long]);
}

#[tokio::test]
async fn a_key_belongs_to_one_author_and_one_topic() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let grace = server.guest("Grace").await;
    assert_eq!(ada.publish("topic", "k", "ada").await.seq, Seq(1));
    assert_eq!(grace.publish("topic", "k", "grace").await.seq, Seq(2));
    assert_eq!(ada.publish("other", "k", "ada").await.seq, Seq(1));
}

#[tokio::test]
async fn a_reused_key_is_refused_and_changes_nothing() {
    let server = TestServer::start();
    let topic = probe("topic");
    let reader = server.browser("Grace", &[&topic]).await;
    let ada = server.guest("Ada").await;
    ada.publish("topic", "k1", "first").await;
    ada.try_publish("topic", "k1", "second").await.is_refused(ErrorCode::KeyReused, &["Idempotency-Key"]);
    assert_eq!(ada.publish("topic", "k2", "second").await.seq, Seq(2));
    assert_eq!(reader.read_up_to(&topic, 2).await.seqs(), [1, 2]);
}
