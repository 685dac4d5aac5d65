//! `Person`: a user who sends the server HTTP requests, signed in or not.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use shared::{Ack, EventPage, Identity, Part, Seq, Topic, UserId, endpoint};

use super::{DEADLINE, FaultyLink, TestResponse, TestServer};

/// The time for which a long poll waits at the node, as the real client's does.
const WAIT_SECS: u32 = 25;

/// Returns the probe's topic with this name.
pub fn probe(name: &str) -> Topic {
    Topic::new("probe", name).expect("a valid topic name")
}

/// A user of a server. Cookies are kept by hand, so that a test can read and forge them. A clone is the same user.
#[derive(Clone)]
pub struct Person {
    http: Client,
    url: String,
    /// The value of the `Cookie` header.
    pub cookie: Option<String>,
    /// The identity that the server returned.
    pub identity: Identity,
}

impl TestServer {
    /// Returns a person without a cookie.
    pub fn stranger(&self) -> Person {
        Person::at(self.url(), None)
    }

    /// Signs in a new guest.
    pub async fn guest(&self, name: &str) -> Person {
        let mut person = self.stranger();
        let answer = person.post(endpoint::ME, &json!({ "name": name })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let (cookie, _) = answer.header("set-cookie").split_once(';').expect("a cookie has attributes");
        person.cookie = Some(cookie.into());
        person.identity = answer.json();
        person
    }
}

impl Person {
    fn at(url: String, cookie: Option<String>) -> Person {
        // Each request has its own connection, so that none is left over from a server that was killed.
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0).build();
        let name = String::from("Nobody").try_into().expect("a valid name");
        let identity = Identity { id: UserId("nobody".into()), name };
        Person { http: http.expect("a client needs nothing"), url, cookie, identity }
    }

    /// Returns the same person with connections that stay open between requests.
    pub fn with_open_connections(&self) -> Person {
        let http = Client::builder().no_proxy().build().expect("a client needs nothing");
        Person { http, ..self.clone() }
    }

    /// Returns the same person, who reaches the server through a link.
    pub fn through(&self, link: &FaultyLink) -> Person {
        Person { url: link.url(), ..self.clone() }
    }

    /// Prepares a request with this person's cookie, for [`Person::ask`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    /// Sends a request, and returns the answer. Fails the test if there is none.
    pub async fn ask(&self, request: RequestBuilder) -> TestResponse {
        self.try_ask(request).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// Sends a request to a server that may be unreachable.
    pub async fn try_ask(&self, request: RequestBuilder) -> Result<TestResponse, reqwest::Error> {
        TestResponse::of(request.timeout(DEADLINE).send().await?).await
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.ask(self.request(Method::GET, path)).await
    }

    /// Sends a GET request to a server that may be unreachable.
    pub async fn try_get(&self, path: &str) -> Result<TestResponse, reqwest::Error> {
        self.try_ask(self.request(Method::GET, path)).await
    }

    /// Sends a GET request that waits at the node for the next event. The server may be unreachable.
    pub async fn try_long_poll(&self, path: &str) -> Result<TestResponse, reqwest::Error> {
        let request = self.request(Method::GET, path).header(endpoint::PREFER, endpoint::wait(WAIT_SECS));
        let deadline = DEADLINE + Duration::from_secs(WAIT_SECS.into());
        TestResponse::of(request.timeout(deadline).send().await?).await
    }

    /// Sends a POST request with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> TestResponse {
        self.ask(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, path: &str) -> TestResponse {
        self.ask(self.request(Method::DELETE, path)).await
    }

    /// Sends a WebSocket handshake as plain HTTP, so that a refusal can be read. `headers` replace the usual ones or
    /// are added to them.
    pub async fn handshake(&self, headers: &[(&'static str, &str)]) -> TestResponse {
        let usual = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let is_replaced = |name: &str| headers.iter().any(|(given, _)| *given == name);
        let mut request = self.request(Method::GET, endpoint::SOCKET);
        for (name, value) in usual.iter().filter(|(name, _)| !is_replaced(name)).chain(headers) {
            request = request.header(*name, *value);
        }
        self.ask(request).await
    }

    /// Prepares a publish to the probe's topic `name`.
    pub fn draft(&self, name: &str, key: &str, text: &str) -> RequestBuilder {
        self.request(Method::POST, &format!("/api/probe/{name}/events"))
            .header(endpoint::IDEMPOTENCY_KEY, key)
            .json(&json!({ "text": text }))
    }

    /// Publishes to the probe's topic `name`, and returns the answer, whatever it is.
    pub async fn try_publish(&self, name: &str, key: &str, text: &str) -> TestResponse {
        self.ask(self.draft(name, key, text)).await
    }

    /// Publishes a new event to the probe's topic `name`. Fails the test if it is not acknowledged.
    pub async fn publish(&self, name: &str, key: &str, text: &str) -> Ack {
        let answer = self.try_publish(name, key, text).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// Publishes `count` new events, with the keys `{prefix}1`, `{prefix}2`, ….
    pub async fn publish_many(&self, name: &str, prefix: &str, count: usize) {
        for number in 1..=count {
            self.publish(name, &format!("{prefix}{number}"), &format!("{prefix} {number}")).await;
        }
    }

    /// Pulls a part of a topic.
    pub async fn pull(&self, topic: &Topic, part: Part) -> EventPage {
        self.get(&endpoint::events(topic, part, None, 500)).await.json()
    }

    /// Returns the newest seq of a topic.
    pub async fn head(&self, topic: &Topic) -> Seq {
        self.pull(topic, Part::Newest).await.head
    }

    /// Returns the keys of all events of a topic, in order.
    pub async fn keys(&self, topic: &Topic) -> Vec<String> {
        let page = self.pull(topic, Part::After(Seq::ZERO)).await;
        page.events.iter().map(|event| event.key.as_str().to_owned()).collect()
    }

    /// Returns `ws://host:port/socket`.
    pub fn socket_url(&self) -> String {
        format!("{}{}", self.url.replacen("http", "ws", 1), endpoint::SOCKET)
    }
}

impl TestResponse {
    /// Reads a response to its end.
    pub async fn of(response: reqwest::Response) -> Result<TestResponse, reqwest::Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Ok(TestResponse { status, headers, body: response.bytes().await? })
    }
}
