//! `Examination`: the checks of `doctor`, one function each.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{Method, StatusCode};
use futures_util::StreamExt;
use serde_json::{Value, json};
use shared::{EventPage, Part, Topic, endpoint};
use tokio::join;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::doctor::finding::{Finding, Proxy};
use crate::doctor::node_client::{BufferedResponse, NodeClient, OpenError, RESPONSE_TIMEOUT};
use crate::doctor::stream_delivery::{self, StreamDelivery};
use crate::http::api::arrival::{self, Arrival};
use crate::net::authority::Authority;

/// A client address to forge. It belongs to nobody (RFC 5737).
const FORGED_ADDRESS: &str = "192.0.2.123";
/// The time for which a long poll waits, as pages use it.
const WAIT_SECS: u32 = 25;
/// The least time by which a proxy's timeout comes before the event that it cuts off.
const MARGIN: Duration = Duration::from_secs(2);
/// The longest keep-alive time that a short examination waits for. Also the time for a socket's welcome.
const SHORT_WAIT_SECS: u32 = 30;
/// The name of the guest, and of the topic that it reads.
const NAME: &str = "doctor";

/// The time that an examination may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBudget {
    /// About a minute.
    Short,
    /// As long as the node keeps an idle connection.
    Long,
}

/// The outcome of a check: a sentence for each part that is right, or the findings.
pub type CheckResult = Result<Vec<String>, Vec<Finding>>;

/// The examination of one node, with the facts that all checks use.
pub struct Examination<'a> {
    client: &'a NodeClient,
    arrival: Arrival,
    /// The guest's cookie, or the reason why there is none.
    cookie: Result<String, Finding>,
    /// A topic that every guest may read, if there is one.
    topic: Option<Topic>,
    proxy: Proxy,
}

impl<'a> Examination<'a> {
    /// Gathers the facts and signs in. Fails if no node answers.
    pub async fn begin(client: &'a NodeClient) -> Result<Examination<'a>, String> {
        let response = client.fetch_in_time(client.get_request(arrival::PATH, &[])?).await?;
        let arrival = serde_json::from_slice(&response.body).map_err(|_| {
            format!("{} does not answer like a Duplex node: {}", client.origin, response.outcome())
        })?;
        let topic = readable_topic(client).await;
        let cookie = sign_in(client).await;
        Ok(Examination { client, arrival, cookie, topic, proxy: Proxy::from_headers(&response.headers) })
    }

    /// The first sentence of the report: a node answers, behind this proxy.
    pub fn summary(&self) -> String {
        let proxy = match self.proxy {
            Proxy::Nginx => "nginx",
            Proxy::Caddy => "Caddy",
            Proxy::Unknown if self.arrival.by_proxy => "a proxy",
            Proxy::Unknown => "no proxy that identifies itself",
        };
        format!("a node answers at {}, behind {proxy}", self.client.origin)
    }

    /// The proxy between `doctor` and the node.
    pub fn proxy(&self) -> Proxy {
        self.proxy
    }

    /// Runs the checks that may run at the same time: headers, addresses, sockets, streams and polls.
    pub async fn run_checks(&self) -> [CheckResult; 5] {
        let (headers, addresses, (sockets, polls), streams) = join!(
            self.check_headers(),
            self.check_addresses(),
            self.check_sockets_and_polls(),
            self.check_streams()
        );
        [headers, addresses, sockets, streams, polls]
    }

    /// Signs out.
    pub async fn sign_out(&self) {
        let Ok(cookie) = &self.cookie else { return };
        let request = self.client.request(Method::DELETE, endpoint::ME).header("cookie", cookie);
        if let Ok(request) = request.body(Body::empty()) {
            // If it fails, the only trace is a sign-in that nobody can use.
            self.client.fetch_in_time(request).await.ok();
        }
    }

    async fn check_headers(&self) -> CheckResult {
        let mut findings = Vec::new();
        if self.arrival.is_http10 {
            findings.push(Finding::Http10);
        }
        let sent = self.client.origin.as_host();
        let arrived = self.arrival.host.clone();
        if !is_same_host(&sent, &arrived) {
            findings.push(Finding::HostRewritten { sent, arrived });
        } else if !Authority::parse(&arrived).is_some_and(|host| self.client.origin.is_at(&host)) {
            findings.push(Finding::PortDropped { sent, arrived });
        }
        let origin = self.arrival.origin.clone().unwrap_or_default();
        if origin != self.client.origin.to_string() {
            let sent = self.client.origin.clone();
            findings.push(Finding::OriginRewritten { sent, arrived: origin });
        }
        let request = self.client.get_request(endpoint::SOCKET, &[]).map_err(failed)?;
        match self.client.fetch_in_time(request).await {
            Ok(response) => {
                let is_refused = response.status == StatusCode::FORBIDDEN;
                if is_refused && !findings.iter().any(Finding::is_problem) {
                    findings.push(Finding::OriginRefused { detail: response.detail() });
                }
            }
            Err(reason) => findings.push(Finding::CheckFailed(format!("GET {}: {reason}", endpoint::SOCKET))),
        }
        let readiness = self.client.get_json::<Value>("/readyz").await;
        match readiness {
            Ok(readiness) if readiness["ready"] == json!(true) => {}
            Ok(readiness) => findings.push(Finding::NotReady { reasons: readiness["reasons"].to_string() }),
            Err(reason) => findings.push(Finding::CheckFailed(reason)),
        }
        verdict("Host and Origin arrive unchanged", findings)
    }

    async fn check_addresses(&self) -> CheckResult {
        let request = self.client.get_request(arrival::PATH, &[("x-forwarded-for", FORGED_ADDRESS)]);
        let response = self.client.fetch_in_time(request.map_err(failed)?).await.map_err(failed)?;
        let forged: Arrival =
            serde_json::from_slice(&response.body).map_err(|error| failed(error.to_string()))?;
        // A proxy that adds no address passes on the one that a client made up.
        let is_unchanged = forged.forwarded.as_deref().is_none_or(|addresses| addresses == FORGED_ADDRESS);
        let is_forwarded = self.arrival.forwarded.is_some();
        let mut findings = Vec::new();
        if self.arrival.by_proxy {
            if !is_forwarded || is_unchanged {
                findings.push(Finding::NotForwarded);
            }
        } else if is_forwarded {
            findings.push(Finding::NotTrusted);
        } else if self.proxy != Proxy::Unknown {
            findings.push(Finding::NotTrusted);
            findings.push(Finding::NotForwarded);
        }
        let sentence =
            format!("the node sees you as {}; clients cannot forge their address", self.arrival.client);
        verdict(&sentence, findings)
    }

    /// Checks both at once, because one limit of a proxy can end both and is reported only once.
    async fn check_sockets_and_polls(&self) -> (CheckResult, CheckResult) {
        let (socket, poll) = join!(self.check_socket(), self.check_poll());
        let is_socket_cut =
            matches!(&socket, Err(findings) if matches!(findings[..], [Finding::IdleSocketsClosed { .. }]));
        let is_poll_cut =
            matches!(&poll, Err(findings) if matches!(findings[..], [Finding::LongPollsEnded { .. }]));
        if is_socket_cut && is_poll_cut { (Ok(Vec::new()), poll) } else { (socket, poll) }
    }

    /// Opens a socket and waits for the node's first heartbeat.
    async fn check_socket(&self) -> CheckResult {
        let cookie = self.cookie.as_ref().map_err(|finding| vec![finding.clone()])?;
        let opened = timeout(RESPONSE_TIMEOUT, self.client.open_socket(endpoint::SOCKET, cookie)).await;
        let mut socket = match opened {
            Err(_) => return Err(vec![Finding::ResponsesBuffered]),
            Ok(Ok(socket)) => socket,
            Ok(Err(OpenError::Refused(response))) => return self.refused_socket(&response),
            Ok(Err(OpenError::Lost(reason))) => return Err(failed(format!("socket: {reason}"))),
        };
        let mut heartbeat = Duration::from_secs(SHORT_WAIT_SECS.into());
        let mut last_frame_at = Instant::now();
        loop {
            match timeout(heartbeat + MARGIN, socket.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => {
                    let frame: Value = serde_json::from_str(text.as_str()).unwrap_or_default();
                    last_frame_at = Instant::now();
                    if let Some(secs) = frame["welcome"]["heartbeat_secs"].as_u64() {
                        heartbeat = Duration::from_secs(secs);
                    } else if frame.get("ping").is_some() {
                        let secs = heartbeat.as_secs();
                        return Ok(vec![format!(
                            "a socket opens and survives the {secs} s between two heartbeats"
                        )]);
                    }
                }
                Ok(Some(Ok(Message::Close(Some(close))))) => {
                    return Err(failed(format!("socket: the node closed it: {close}")));
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => {
                    return Err(vec![Finding::IdleSocketsClosed { secs: whole_secs_since(last_frame_at) }]);
                }
                Err(_) => {
                    let reason = "socket: it stays open, but the node's heartbeat does not arrive";
                    return Err(failed(reason.into()));
                }
            }
        }
    }

    /// Finds the cause of a refused handshake. The node would have accepted the same request directly.
    fn refused_socket(&self, response: &BufferedResponse) -> CheckResult {
        match response.status {
            // The check of headers reports these.
            StatusCode::FORBIDDEN => Ok(Vec::new()),
            StatusCode::UPGRADE_REQUIRED if self.arrival.is_http10 => Ok(Vec::new()),
            StatusCode::UPGRADE_REQUIRED => Err(vec![Finding::UpgradeDropped]),
            _ => Err(vec![Finding::SocketRefused { response: response.outcome() }]),
        }
    }

    /// Opens a stream without the headers that keep proxies from buffering, and one of the node's own, which has them.
    async fn check_streams(&self) -> CheckResult {
        let cookie = self.cookie.clone().unwrap_or_default();
        let own_path = self.topic.as_ref().filter(|_| self.cookie.is_ok()).map(newest_event);
        let own_stream = async {
            match &own_path {
                Some(path) => stream_delivery::probe(self.client, path, &cookie).await,
                None => StreamDelivery::EventByEvent,
            }
        };
        let (bare, own) = join!(stream_delivery::probe(self.client, arrival::PATH, &cookie), own_stream);
        let own_streams_too = own != StreamDelivery::EventByEvent;
        let mut findings = Vec::new();
        match (bare, own) {
            (StreamDelivery::EventByEvent, StreamDelivery::EventByEvent) => {}
            (_, StreamDelivery::Failed(reason)) | (StreamDelivery::Failed(reason), _) => {
                findings.push(Finding::CheckFailed(reason));
            }
            (StreamDelivery::Buffered, _) | (_, StreamDelivery::Buffered) => {
                findings.push(Finding::StreamsBuffered { own_streams_too });
            }
            _ => findings.push(Finding::StreamsCompressed { own_streams_too }),
        }
        verdict("a stream arrives event by event", findings)
    }

    /// Sends a long poll behind the newest event and waits for its answer.
    async fn check_poll(&self) -> CheckResult {
        let (Some(topic), Ok(cookie)) = (&self.topic, &self.cookie) else { return Ok(Vec::new()) };
        let page = self.newest_page(topic, cookie).await.map_err(failed)?;
        let path = endpoint::events(topic, Part::After(page.head), Some(&page.epoch), 1);
        let prefer = format!("wait={WAIT_SECS}");
        let headers = [("cookie", cookie.as_str()), ("prefer", prefer.as_str())];
        let request = self.client.get_request(&path, &headers).map_err(failed)?;
        let wait = Duration::from_secs(WAIT_SECS.into());
        let began = Instant::now();
        match timeout(wait + RESPONSE_TIMEOUT, self.client.fetch(request)).await {
            Ok(Ok(response)) if response.status == StatusCode::OK => {
                Ok(vec![format!("a long poll is answered after {} s", began.elapsed().as_secs())])
            }
            Ok(Ok(response)) if began.elapsed() + MARGIN > wait => {
                let reason = format!("long poll: GET {path} returned {}", response.outcome());
                Err(failed(reason))
            }
            Ok(_) => Err(vec![Finding::LongPollsEnded { secs: whole_secs_since(began) }]),
            Err(_) => Err(vec![Finding::ResponsesBuffered]),
        }
    }

    async fn newest_page(&self, topic: &Topic, cookie: &str) -> Result<EventPage, String> {
        let path = newest_event(topic);
        let request = self.client.get_request(&path, &[("cookie", cookie)])?;
        let response = self.client.fetch_in_time(request).await?;
        serde_json::from_slice(&response.body)
            .map_err(|_| format!("GET {path} returned {}", response.outcome()))
    }

    /// Checks that the proxy does not reuse a connection that has been idle for almost as long as the node keeps it.
    pub async fn check_keep_alive(&self, budget: TimeBudget) -> CheckResult {
        let node_secs = self.arrival.keep_alive_secs;
        if node_secs > SHORT_WAIT_SECS && budget == TimeBudget::Short {
            return Ok(Vec::new());
        }
        let keep_alive = Duration::from_secs(node_secs.into());
        sleep(keep_alive.saturating_sub(MARGIN)).await;
        let again: Arrival = self.client.get_json(arrival::PATH).await.map_err(failed)?;
        let Some(paused_ms) = again.paused_ms else { return Ok(Vec::new()) };
        let is_reused = Duration::from_millis(paused_ms) + 2 * MARGIN >= keep_alive;
        if is_reused {
            return Err(vec![Finding::ConnectionsKeptTooLong { node_secs }]);
        }
        Ok(vec!["idle connections to the node are closed before the node closes them".into()])
    }
}

async fn sign_in(client: &NodeClient) -> Result<String, Finding> {
    let body = json!({ "name": NAME }).to_string();
    let request = client
        .request(Method::POST, endpoint::ME)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .map_err(|error| Finding::CheckFailed(error.to_string()))?;
    let response = client.fetch_in_time(request).await.map_err(Finding::CheckFailed)?;
    let set_cookie = response.headers.get(SET_COOKIE).and_then(|header| header.to_str().ok());
    let cookie = set_cookie.and_then(|header| header.split(';').next());
    match (response.status, cookie) {
        (StatusCode::CREATED, Some(cookie)) => Ok(cookie.to_owned()),
        (StatusCode::FORBIDDEN, _) => Err(Finding::OriginRefused { detail: response.detail() }),
        _ => Err(Finding::CheckFailed(format!("signing in returned {}", response.outcome()))),
    }
}

/// Returns a topic of the first namespace in the node's contract.
async fn readable_topic(client: &NodeClient) -> Option<Topic> {
    let contract: Value = client.get_json("/api/asyncapi.json").await.ok()?;
    let namespace = contract["x-topics"].as_object()?.keys().next()?.clone();
    Topic::new(&namespace, NAME).ok()
}

fn newest_event(topic: &Topic) -> String {
    endpoint::events(topic, Part::Newest, None, 1)
}

fn is_same_host(sent: &str, arrived: &str) -> bool {
    match (Authority::parse(sent), Authority::parse(arrived)) {
        (Some(sent), Some(arrived)) => sent.is_host_of(&arrived),
        _ => false,
    }
}

/// The time since then, rounded: timeouts are set in whole seconds and end a little early or late.
fn whole_secs_since(then: Instant) -> u64 {
    then.elapsed().as_secs_f64().round() as u64
}

fn verdict(passed: &str, findings: Vec<Finding>) -> CheckResult {
    if findings.is_empty() { Ok(vec![passed.to_owned()]) } else { Err(findings) }
}

fn failed(reason: String) -> Vec<Finding> {
    vec![Finding::CheckFailed(reason)]
}
