//! `Person`: somebody who asks the server by HTTP, signed in or not.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use shared::{Ack, EventPage, Identity, Part, Seq, Topic, UserId, endpoint};

use super::{Answer, DEADLINE, FaultyLink, TestServer};

/// How long a poll waits at the node, as the client's does.
const WAIT_SECS: u32 = 25;

/// The topic of the probe with that name.
pub fn probe(name: &str) -> Topic {
    Topic::new("probe", name).expect("a test names its topics well")
}

/// Cookies are kept by hand, so that a test sees and forges them. Cheap to clone: the same person.
#[derive(Clone)]
pub struct Person {
    http: Client,
    url: String,
    /// The value of the `Cookie` header.
    pub cookie: Option<String>,
    /// As the server introduced them.
    pub identity: Identity,
}

impl TestServer {
    /// Somebody without a cookie.
    pub fn stranger(&self) -> Person {
        Person::at(self.url(), None)
    }

    /// A guest who has just signed in.
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
    /// Somebody at a server that is only known by its address, with a cookie from there.
    fn at(url: String, cookie: Option<String>) -> Person {
        // A connection for each request: none is left over from a server that was killed.
        let http =
            Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client needs nothing");
        let name = String::from("Nobody").try_into().expect("a good name");
        let identity = Identity { id: UserId("nobody".into()), name };
        Person { http, url, cookie, identity }
    }

    /// The same person, who asks many things over one connection.
    pub fn with_open_connections(&self) -> Person {
        let http = Client::builder().no_proxy().build().expect("a client needs nothing");
        Person { http, ..self.clone() }
    }

    /// The same person, who reaches the server through a link.
    pub fn through(&self, link: &FaultyLink) -> Person {
        Person { url: link.url(), ..self.clone() }
    }

    /// A request with this person's cookie, still to be sent: see [`Person::ask`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    /// Sends a request and reads the answer. Fails the test when there is none.
    pub async fn ask(&self, request: RequestBuilder) -> Answer {
        self.try_ask(request).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// The same, where the server may be away.
    pub async fn try_ask(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        Answer::of(request.timeout(DEADLINE).send().await?).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(self.request(Method::GET, path)).await
    }

    /// GET, where the server may be away.
    pub async fn try_get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        self.try_ask(self.request(Method::GET, path)).await
    }

    /// GET that waits at the node for what comes next; the node may be away.
    pub async fn try_wait(&self, path: &str) -> Result<Answer, reqwest::Error> {
        let request = self.request(Method::GET, path).header(endpoint::PREFER, endpoint::wait(WAIT_SECS));
        Answer::of(request.timeout(DEADLINE + Duration::from_secs(WAIT_SECS.into())).send().await?).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(self.request(Method::POST, path).json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(self.request(Method::DELETE, path)).await
    }

    /// A WebSocket handshake with more headers, as plain HTTP, so that a refusal can be read.
    pub async fn handshake(&self, headers: &[(&'static str, &str)]) -> Answer {
        let mut request = self.request(Method::GET, endpoint::SOCKET);
        let upgrade = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")];
        let key = [("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")];
        let told = |name: &str| headers.iter().any(|(given, _)| *given == name);
        for (name, value) in upgrade.iter().chain(&key).filter(|(name, _)| !told(name)).chain(headers) {
            request = request.header(*name, *value);
        }
        self.ask(request).await
    }

    /// A publish to the probe's topic `name`, still to be sent.
    pub fn draft(&self, name: &str, key: &str, text: &str) -> RequestBuilder {
        self.request(Method::POST, &format!("/api/probe/{name}/events"))
            .header(endpoint::IDEMPOTENCY_KEY, key)
            .json(&json!({ "text": text }))
    }

    /// Publishes to the probe's topic `name`, whatever the answer.
    pub async fn publish(&self, name: &str, key: &str, text: &str) -> Answer {
        self.ask(self.draft(name, key, text)).await
    }

    /// Publishes for the first time, and expects that it succeeds.
    pub async fn publishes(&self, name: &str, key: &str, text: &str) -> Ack {
        let answer = self.publish(name, key, text).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// Publishes `count` events, with the keys `{prefix}1`, `{prefix}2`, ….
    pub async fn publishes_many(&self, name: &str, prefix: &str, count: usize) {
        for number in 1..=count {
            self.publishes(name, &format!("{prefix}{number}"), &format!("{prefix} {number}")).await;
        }
    }

    /// Pulls a part of a topic.
    pub async fn pull(&self, topic: &Topic, part: Part) -> EventPage {
        self.get(&endpoint::events(topic, part, None, 500)).await.json()
    }

    /// The newest seq of a topic.
    pub async fn head(&self, topic: &Topic) -> Seq {
        self.pull(topic, Part::Newest).await.head
    }

    /// The keys of all events of a topic, in order.
    pub async fn keys(&self, topic: &Topic) -> Vec<String> {
        let page = self.pull(topic, Part::After(Seq::ZERO)).await;
        page.events.iter().map(|event| event.key.as_str().to_owned()).collect()
    }

    /// `ws://host:port/socket`.
    pub fn socket_url(&self) -> String {
        format!("{}{}", self.url.replacen("http", "ws", 1), endpoint::SOCKET)
    }
}

impl Answer {
    /// Reads a response to its end.
    pub async fn of(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await? })
    }
}
