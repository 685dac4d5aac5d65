//! Bad input in a body or in the head of a publish: refused with a reason, and nothing has happened.

use reqwest::RequestBuilder;
use serde_json::json;
use shared::{ErrorCode, Seq, endpoint};

use crate::support::{Answer, Person, TestBrowser, TestServer, probe};

/// A server that others use too, and who makes the mistakes.
struct Scene {
    server: TestServer,
    ada: Person,
    bystander: TestBrowser,
}

impl Scene {
    async fn new() -> Scene {
        let server = TestServer::with(&["--identity-publishes-per-sec", "1000"]);
        let bystander = server.browser("Grace", &[&probe("topic")]).await;
        bystander.person.publishes("topic", "before", "x").await;
        bystander.reaches(&probe("topic"), 1).await;
        Scene { ada: server.guest("Ada").await, server, bystander }
    }

    /// A publish that lacks only its body.
    fn publish(&self) -> RequestBuilder {
        let path = "/api/probe/topic/events";
        self.ada.request(reqwest::Method::POST, path).header(endpoint::IDEMPOTENCY_KEY, "key")
    }

    async fn posts(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.ada.ask(self.publish().header("content-type", "application/json").body(body)).await
    }

    /// Server, data and the others are as they were, and the same key is still free.
    async fn is_unharmed(&self) {
        assert_eq!(self.ada.head(&probe("topic")).await, Seq(1));
        self.ada.publishes("topic", "key", "now it is right").await;
        let reading = self.bystander.until_read(&probe("topic"), 2).await;
        assert_eq!((reading.seqs(), reading.pulls), (vec![1, 2], 1));
        assert!(!self.server.log().contains(" ERROR "), "a mistake of a caller is no error of ours");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_invalid() {
    let scene = Scene::new().await;
    for body in ["", "{", "text", r#"{"text":"x"} trailing"#, r#"{"text":"x""#, "{'text':'x'}", "\u{feff}{}"]
    {
        scene.posts(body).await.is_refused(ErrorCode::Invalid, &["body"]);
    }
    scene.posts(&b"{\"text\":\"\xff\xfe\"}"[..]).await.is_refused(ErrorCode::Invalid, &[]);
    scene.posts("[".repeat(10_000)).await.is_refused(ErrorCode::Invalid, &[]);
    scene.is_unharmed().await;
}

#[tokio::test]
async fn a_body_of_another_shape_is_invalid_and_the_field_is_named() {
    let scene = Scene::new().await;
    for body in [json!({ "text": 7 }), json!({ "text": null }), json!({ "text": ["x"] })] {
        let problem = scene.posts(body.to_string()).await.is_refused(ErrorCode::Invalid, &["text", "string"]);
        assert_eq!(problem.errors[0].field, "text");
    }
    for body in [json!({}), json!({ "Text": "x" })] {
        let problem =
            scene.posts(body.to_string()).await.is_refused(ErrorCode::Invalid, &["text", "missing"]);
        assert_eq!(problem.errors[0].field, "text");
    }
    for body in [json!(null), json!("x"), json!(["x"]), json!(7)] {
        scene.posts(body.to_string()).await.is_refused(ErrorCode::Invalid, &["body"]);
    }
    scene.is_unharmed().await;
}

#[tokio::test]
async fn a_body_of_another_type_is_unsupported() {
    let scene = Scene::new().await;
    let body = r#"{"text":"x"}"#;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]
    {
        let answer = scene.ada.ask(scene.publish().header("content-type", kind).body(body)).await;
        answer.is_refused(ErrorCode::UnsupportedMediaType, &["Content-Type", "application/json"]);
    }
    let without = scene.ada.ask(scene.publish().body(body)).await;
    without.is_refused(ErrorCode::UnsupportedMediaType, &["Content-Type"]);
    scene.is_unharmed().await;
}

#[tokio::test]
async fn json_may_say_its_charset() {
    let scene = Scene::new().await;
    let request = scene.publish().header("content-type", "Application/JSON; charset=utf-8");
    let answer = scene.ada.ask(request.body(r#"{"text":"now it is right"}"#)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_and_one_below_is_read() {
    let scene = Scene::new().await;
    let padded = |bytes: usize| format!("{}{}", r#"{"text":"now it is right"}"#, " ".repeat(bytes - 26));
    scene.posts(padded(65_537)).await.is_refused(ErrorCode::TooLarge, &["body", "65536"]);
    scene.posts("x".repeat(3_000_000)).await.is_refused(ErrorCode::TooLarge, &["body", "65536"]);
    scene
        .posts(json!({ "text": "x".repeat(9_000) }).to_string())
        .await
        .is_refused(ErrorCode::TooLarge, &["too long"]);
    assert_eq!(scene.ada.head(&probe("topic")).await, Seq(1));
    assert_eq!(scene.posts(padded(65_536)).await.status, 201);
}

#[tokio::test]
async fn no_key_or_a_malformed_one_is_invalid() {
    let scene = Scene::new().await;
    let path = "/api/probe/topic/events";
    let publish = || scene.ada.request(reqwest::Method::POST, path).json(&json!({ "text": "x" }));
    let missing =
        scene.ada.ask(publish()).await.is_refused(ErrorCode::Invalid, &["Idempotency-Key", "missing"]);
    assert_eq!(missing.errors[0].field, "Idempotency-Key");
    let long = "k".repeat(65);
    for key in ["", "with space", "ünïcode", "semi;colon", "a,b", "\"half", "\"\"", "a/b", &long] {
        let answer = scene.ada.ask(publish().header(endpoint::IDEMPOTENCY_KEY, key)).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["Idempotency-Key", "1 to 64"]);
        assert_eq!(problem.errors[0].field, "Idempotency-Key", "{key}");
    }
    scene.is_unharmed().await;
}

#[tokio::test]
async fn a_name_that_breaks_its_rule_makes_no_guest() {
    let scene = Scene::new().await;
    let stranger = scene.server.stranger();
    let long = "é".repeat(41);
    for name in ["", "   ", "\t\n", "A\u{7}da", "new\nline", "\u{0}", &long] {
        let answer = stranger.post(endpoint::ME, &json!({ "name": name })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["name must"]);
        assert_eq!((problem.errors[0].field.as_str(), answer.header("set-cookie")), ("name", ""));
        scene
            .ada
            .post(endpoint::ME, &json!({ "name": name }))
            .await
            .is_refused(ErrorCode::Invalid, &["name must"]);
    }
    for body in [json!({}), json!({ "name": 7 })] {
        stranger.post(endpoint::ME, &body).await.is_refused(ErrorCode::Invalid, &["name"]);
    }
    assert_eq!(scene.ada.get(endpoint::ME).await.json::<shared::Identity>(), scene.ada.identity);
    assert_eq!(stranger.post(endpoint::ME, &json!({ "name": "é".repeat(40) })).await.status, 201);
    scene.is_unharmed().await;
}
