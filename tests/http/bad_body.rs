//! Bad input in a body or in the head of a publish: it is refused with a reason, and changes nothing.

use reqwest::RequestBuilder;
use serde_json::json;
use shared::{ErrorCode, Seq, endpoint};

use crate::support::{Person, TestBrowser, TestResponse, TestServer, probe};

/// A server with two users: Ada sends bad requests, and the bystander must not notice.
struct BodyFixture {
    server: TestServer,
    ada: Person,
    bystander: TestBrowser,
}

impl BodyFixture {
    async fn new() -> BodyFixture {
        let server = TestServer::with(&["--identity-publishes-per-sec", "1000"]);
        let bystander = server.browser("Grace", &[&probe("topic")]).await;
        bystander.person.publish("topic", "before", "x").await;
        bystander.wait_for_seq(&probe("topic"), 1).await;
        BodyFixture { ada: server.guest("Ada").await, server, bystander }
    }

    /// Prepares a publish that lacks only its body.
    fn publish_request(&self) -> RequestBuilder {
        let path = "/api/probe/topic/events";
        self.ada.request(reqwest::Method::POST, path).header(endpoint::IDEMPOTENCY_KEY, "key")
    }

    async fn post(&self, body: impl Into<reqwest::Body>) -> TestResponse {
        self.ada.ask(self.publish_request().header("content-type", "application/json").body(body)).await
    }

    /// Asserts that the server, the data and the bystander are unaffected, and that the key is still unused.
    async fn assert_unharmed(&self) {
        assert_eq!(self.ada.head(&probe("topic")).await, Seq(1));
        self.ada.publish("topic", "key", "now it is right").await;
        let record = self.bystander.read_up_to(&probe("topic"), 2).await;
        assert_eq!((record.seqs(), record.pulls), (vec![1, 2], 1));
        assert!(
            !self.server.stderr().contains(" ERROR "),
            "a mistake of a client is not an error of the server"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_invalid() {
    let fixture = BodyFixture::new().await;
    for body in ["", "{", "text", r#"{"text":"x"} trailing"#, r#"{"text":"x""#, "{'text':'x'}", "\u{feff}{}"]
    {
        fixture.post(body).await.is_refused(ErrorCode::Invalid, &["body"]);
    }
    fixture.post(&b"{\"text\":\"\xff\xfe\"}"[..]).await.is_refused(ErrorCode::Invalid, &[]);
    fixture.post("[".repeat(10_000)).await.is_refused(ErrorCode::Invalid, &[]);
    fixture.assert_unharmed().await;
}

#[tokio::test]
async fn a_body_of_another_shape_is_invalid_and_the_field_is_named() {
    let fixture = BodyFixture::new().await;
    for body in [json!({ "text": 7 }), json!({ "text": null }), json!({ "text": ["x"] })] {
        let problem =
            fixture.post(body.to_string()).await.is_refused(ErrorCode::Invalid, &["text", "string"]);
        assert_eq!(problem.errors[0].field, "text");
    }
    for body in [json!({}), json!({ "Text": "x" })] {
        let problem =
            fixture.post(body.to_string()).await.is_refused(ErrorCode::Invalid, &["text", "missing"]);
        assert_eq!(problem.errors[0].field, "text");
    }
    for body in [json!(null), json!("x"), json!(["x"]), json!(7)] {
        fixture.post(body.to_string()).await.is_refused(ErrorCode::Invalid, &["body"]);
    }
    fixture.assert_unharmed().await;
}

#[tokio::test]
async fn a_body_of_another_type_is_unsupported() {
    let fixture = BodyFixture::new().await;
    let body = r#"{"text":"x"}"#;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]
    {
        let answer = fixture.ada.ask(fixture.publish_request().header("content-type", kind).body(body)).await;
        answer.is_refused(ErrorCode::UnsupportedMediaType, &["Content-Type", "application/json"]);
    }
    let without = fixture.ada.ask(fixture.publish_request().body(body)).await;
    without.is_refused(ErrorCode::UnsupportedMediaType, &["Content-Type"]);
    fixture.assert_unharmed().await;
}

#[tokio::test]
async fn json_may_name_its_charset() {
    let fixture = BodyFixture::new().await;
    let request = fixture.publish_request().header("content-type", "Application/JSON; charset=utf-8");
    let answer = fixture.ada.ask(request.body(r#"{"text":"now it is right"}"#)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_read() {
    let fixture = BodyFixture::new().await;
    let padded = |bytes: usize| format!("{}{}", r#"{"text":"now it is right"}"#, " ".repeat(bytes - 26));
    fixture.post(padded(65_537)).await.is_refused(ErrorCode::TooLarge, &["body", "65536"]);
    fixture.post("x".repeat(3_000_000)).await.is_refused(ErrorCode::TooLarge, &["body", "65536"]);
    fixture
        .post(json!({ "text": "x".repeat(9_000) }).to_string())
        .await
        .is_refused(ErrorCode::TooLarge, &["too long"]);
    assert_eq!(fixture.ada.head(&probe("topic")).await, Seq(1));
    assert_eq!(fixture.post(padded(65_536)).await.status, 201);
}

#[tokio::test]
async fn a_missing_or_malformed_key_is_invalid() {
    let fixture = BodyFixture::new().await;
    let path = "/api/probe/topic/events";
    let publish = || fixture.ada.request(reqwest::Method::POST, path).json(&json!({ "text": "x" }));
    let missing =
        fixture.ada.ask(publish()).await.is_refused(ErrorCode::Invalid, &["Idempotency-Key", "missing"]);
    assert_eq!(missing.errors[0].field, "Idempotency-Key");
    let long = "k".repeat(65);
    for key in ["", "with space", "ünïcode", "semi;colon", "a,b", "\"half", "\"\"", "a/b", &long] {
        let answer = fixture.ada.ask(publish().header(endpoint::IDEMPOTENCY_KEY, key)).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["Idempotency-Key", "1 to 64"]);
        assert_eq!(problem.errors[0].field, "Idempotency-Key", "{key}");
    }
    fixture.assert_unharmed().await;
}

#[tokio::test]
async fn an_invalid_name_creates_no_guest() {
    let fixture = BodyFixture::new().await;
    let stranger = fixture.server.stranger();
    let long = "é".repeat(41);
    for name in ["", "   ", "\t\n", "A\u{7}da", "new\nline", "\u{0}", &long] {
        let answer = stranger.post(endpoint::ME, &json!({ "name": name })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["name must"]);
        assert_eq!((problem.errors[0].field.as_str(), answer.header("set-cookie")), ("name", ""));
        fixture
            .ada
            .post(endpoint::ME, &json!({ "name": name }))
            .await
            .is_refused(ErrorCode::Invalid, &["name must"]);
    }
    for body in [json!({}), json!({ "name": 7 })] {
        stranger.post(endpoint::ME, &body).await.is_refused(ErrorCode::Invalid, &["name"]);
    }
    assert_eq!(fixture.ada.get(endpoint::ME).await.json::<shared::Identity>(), fixture.ada.identity);
    assert_eq!(stranger.post(endpoint::ME, &json!({ "name": "é".repeat(40) })).await.status, 201);
    fixture.assert_unharmed().await;
}
