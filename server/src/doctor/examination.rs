//! The checks of `doctor`, one function each.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, SERVER, SET_COOKIE, VIA};
use axum::http::{HeaderMap, Method, StatusCode};
use futures_util::StreamExt;
use serde_json::{Value, json};
use shared::{EventPage, Part, Topic, endpoint};
use tokio::join;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::Patience;
use super::ask::{BEGINS_WITHIN, Target, Told};
use super::finding::{Finding, Proxy};
use super::streams::{Stream, fares};
use crate::http::api::arrival::{self, Arrival};
use crate::net::authority::Authority;

/// An address that nobody has (RFC 5737), as somebody might write it who wants to be another.
const FORGED: &str = "192.0.2.123";
/// As pages wait.
const WAIT_SECS: u32 = 25;
/// A proxy that breaks off does so well before what it broke off would have come.
const MARGIN: Duration = Duration::from_secs(2);
/// So long a look at how connections are kept is part of every visit.
const SHORT_SECS: u32 = 30;
/// The name of the guest, and of the topic that it looks at.
const NAME: &str = "doctor";

/// The result of a check: sentences about the things that are right, or the findings.
pub type Checked = Result<Vec<String>, Vec<Finding>>;

/// The node that is examined, as far as it is known.
pub struct Patient<'a> {
    target: &'a Target,
    arrival: Arrival,
    /// The guest's cookie, or why there is none.
    cookie: Result<String, Finding>,
    /// A topic that anybody may read, where there is one.
    topic: Option<Topic>,
    /// The proxy between `doctor` and the node.
    pub proxy: Proxy,
}

impl<'a> Patient<'a> {
    /// Asks for what all else is judged by. Fails where no node answers.
    pub async fn meet(target: &'a Target) -> Result<Patient<'a>, String> {
        let told = target.ask_soon(get(target, arrival::PATH, &[])?).await?;
        let arrival = serde_json::from_slice(&told.body).map_err(|_| {
            format!(
                "{} is no node of this program: it answers with {}: {}",
                target.origin,
                told.status,
                told.detail()
            )
        })?;
        let proxy = which(&told.headers);
        let topic = topic(target).await;
        Ok(Patient { target, arrival, cookie: sign_in(target).await, topic, proxy })
    }

    /// The first sentence of the report: a node answers, and what stands before it.
    pub fn first_words(&self) -> Vec<String> {
        let by = match self.proxy {
            Proxy::Nginx => "nginx",
            Proxy::Caddy => "Caddy",
            Proxy::Unknown if self.arrival.by_proxy => "a proxy",
            Proxy::Unknown => "nothing that says so",
        };
        vec![format!("a node answers at {}, behind {by}", self.target.origin)]
    }

    /// All that can be looked at side by side.
    pub async fn in_all_ways(&self) -> [Checked; 5] {
        let (hosts, clients, (sockets, polls), streams) =
            join!(self.hosts(), self.clients(), self.sockets_and_polls(), self.streams());
        [hosts, clients, sockets, streams, polls]
    }

    /// Signs out.
    pub async fn goes(&self) {
        let Ok(cookie) = &self.cookie else { return };
        let request = self.target.request(Method::DELETE, endpoint::ME).header("cookie", cookie);
        if let Ok(request) = request.body(Body::empty()) {
            // It leaves no trace either way but a sign-in that nobody has.
            self.target.ask_soon(request).await.ok();
        }
    }

    async fn hosts(&self) -> Checked {
        let mut findings = Vec::new();
        let sent = self.target.origin.as_host();
        let arrived = self.arrival.host.clone();
        if self.arrival.is_http10 {
            findings.push(Finding::Http10);
        }
        let is_same = |a: &str, b: &str| Some(Authority::parse(a)?.is_host_of(&Authority::parse(b)?));
        if is_same(&sent, &arrived) != Some(true) {
            findings.push(Finding::HostRewritten { sent, arrived });
        } else if !Authority::parse(&arrived).is_some_and(|host| self.target.origin.is_at(&host)) {
            findings.push(Finding::PortLost { sent, arrived });
        }
        let origin = self.arrival.origin.clone().unwrap_or_default();
        if origin != self.target.origin.to_string() {
            let sent = self.target.origin.clone();
            findings.push(Finding::OriginRewritten { sent, arrived: origin });
        }
        let welcome = self.target.ask_soon(get(self.target, endpoint::SOCKET, &[]).map_err(failed)?).await;
        match welcome {
            Ok(told) if told.status == StatusCode::FORBIDDEN && !findings.iter().any(Finding::is_problem) => {
                findings.push(Finding::OriginRefused { detail: told.detail() });
            }
            Ok(_) => {}
            Err(reason) => {
                findings.push(Finding::Failed { what: format!("GET {}: {reason}", endpoint::SOCKET) })
            }
        }
        let ready = self.target.get::<Value>("/readyz").await;
        match ready {
            Ok(ready) if ready["ready"] == json!(true) => {}
            Ok(ready) => findings.push(Finding::NotReady { reasons: ready["reasons"].to_string() }),
            Err(what) => findings.push(Finding::Failed { what }),
        }
        verdict("Host and Origin arrive as they were sent", findings)
    }

    async fn clients(&self) -> Checked {
        let forged = get(self.target, arrival::PATH, &[("x-forwarded-for", FORGED)]).map_err(failed)?;
        let told = self.target.ask_soon(forged).await.map_err(failed)?;
        let forged: Arrival =
            serde_json::from_slice(&told.body).map_err(|error| failed(error.to_string()))?;
        let mut findings = Vec::new();
        // Who writes nothing down passes on what anybody wrote.
        let adds_nothing = forged.forwarded.as_deref().is_none_or(|told| told == FORGED);
        if self.arrival.by_proxy && (self.arrival.forwarded.is_none() || adds_nothing) {
            findings.push(Finding::NotForwarded);
        } else if !self.arrival.by_proxy && (self.arrival.forwarded.is_some() || self.proxy != Proxy::Unknown)
        {
            findings.push(Finding::NotTrusted);
            findings.extend(self.arrival.forwarded.is_none().then_some(Finding::NotForwarded));
        }
        verdict(
            &format!(
                "the node sees you as {}, and nobody can say that they are another",
                self.arrival.client
            ),
            findings,
        )
    }

    /// Both together, as one explains the other.
    async fn sockets_and_polls(&self) -> (Checked, Checked) {
        let (socket, poll) = join!(self.socket(), self.poll());
        match (&socket, &poll) {
            // The same limit ends both.
            (Err(cut), Err(given_up))
                if matches!(cut[..], [Finding::CutsSilentSockets { .. }])
                    && matches!(given_up[..], [Finding::GivesUp { .. }]) =>
            {
                (Ok(Vec::new()), poll)
            }
            _ => (socket, poll),
        }
    }

    async fn socket(&self) -> Checked {
        let cookie = self.cookie.as_ref().map_err(|finding| vec![finding.clone()])?;
        let opened = timeout(BEGINS_WITHIN, self.target.open(endpoint::SOCKET, cookie)).await;
        let mut socket = match opened {
            Err(_) => return Err(vec![Finding::WaitsForTheEnd]),
            Ok(Ok(socket)) => socket,
            Ok(Err(Ok(told))) => return self.no_socket(&told),
            Ok(Err(Err(reason))) => return Err(failed(format!("socket: {reason}"))),
        };
        let mut beat = Duration::from_secs(u64::from(SHORT_SECS));
        let mut last = Instant::now();
        loop {
            match timeout(beat + MARGIN, socket.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => {
                    let frame: Value = serde_json::from_str(text.as_str()).unwrap_or_default();
                    last = Instant::now();
                    if let Some(secs) = frame["welcome"]["heartbeat_secs"].as_u64() {
                        beat = Duration::from_secs(secs);
                    } else if frame.get("ping").is_some() {
                        return Ok(vec![format!(
                            "a socket opens, and lives through the {} s between two beats",
                            beat.as_secs()
                        )]);
                    }
                }
                Ok(Some(Ok(Message::Close(Some(close))))) => {
                    return Err(failed(format!("socket: the node closes it: {close}")));
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => {
                    return Err(vec![Finding::CutsSilentSockets { secs: whole_secs(last) }]);
                }
                Err(_) => {
                    return Err(failed("socket: it stays open, and the node's beat does not arrive".into()));
                }
            }
        }
    }

    /// The same request would have opened one at the node itself.
    fn no_socket(&self, told: &Told) -> Checked {
        Err(vec![match told.status {
            // They are told where Host and Origin are looked at.
            StatusCode::FORBIDDEN => return Ok(Vec::new()),
            StatusCode::UPGRADE_REQUIRED if self.arrival.is_http10 => return Ok(Vec::new()),
            StatusCode::UPGRADE_REQUIRED => Finding::NoUpgrade,
            status => Finding::SocketRefused { answer: format!("{status}: {}", told.detail()) },
        }])
    }

    async fn streams(&self) -> Checked {
        let ours = self.topic.as_ref().filter(|_| self.cookie.is_ok()).map(endpoint_of);
        let cookie = self.cookie.clone().unwrap_or_default();
        let (bare, own) =
            join!(fares(self.target, Some(arrival::PATH.into()), &cookie), fares(self.target, ours, &cookie));
        let mut findings = Vec::new();
        match (bare, own) {
            (Stream::Flows, Stream::Flows) => {}
            (_, Stream::Fails(what)) | (Stream::Fails(what), _) => findings.push(Finding::Failed { what }),
            (Stream::Held, own) => {
                findings.push(Finding::HoldsStreamsBack { ours_too: own != Stream::Flows })
            }
            (_, Stream::Held) => findings.push(Finding::HoldsStreamsBack { ours_too: true }),
            (_, own) => findings.push(Finding::CompressesStreams { ours_too: own != Stream::Flows }),
        }
        verdict("a stream arrives event by event", findings)
    }

    async fn poll(&self) -> Checked {
        let (Some(topic), Ok(cookie)) = (&self.topic, &self.cookie) else { return Ok(Vec::new()) };
        let newest = endpoint::events(topic, Part::Newest, None, 1);
        let told =
            self.target.ask_soon(get(self.target, &newest, &[("cookie", cookie)]).map_err(failed)?).await;
        let told = told.map_err(failed)?;
        let page: EventPage = match serde_json::from_slice(&told.body) {
            Ok(page) => page,
            Err(_) => {
                return Err(failed(format!(
                    "GET {newest} is answered with {}: {}",
                    told.status,
                    told.detail()
                )));
            }
        };
        let path = endpoint::events(topic, Part::After(page.head), Some(&page.epoch), 1);
        let wait = format!("wait={WAIT_SECS}");
        let request = get(self.target, &path, &[("cookie", cookie), ("prefer", &wait)]).map_err(failed)?;
        let began = Instant::now();
        let patience = Duration::from_secs(WAIT_SECS.into()) + BEGINS_WITHIN;
        let answer = timeout(patience, self.target.ask(request)).await;
        match answer {
            Ok(Ok(told)) if told.status == StatusCode::OK => {
                Ok(vec![format!("a request that waits is answered after {} s", began.elapsed().as_secs())])
            }
            Ok(Ok(told)) if began.elapsed() + MARGIN > Duration::from_secs(WAIT_SECS.into()) => {
                Err(failed(format!("waiting: it is answered with {}: {}", told.status, told.detail())))
            }
            Ok(_) => Err(vec![Finding::GivesUp { secs: whole_secs(began) }]),
            Err(_) => Err(vec![Finding::WaitsForTheEnd]),
        }
    }

    /// Checks that the proxy does not use a connection again that has paused for nearly as long as the node allows.
    pub async fn keeps_connections(&self, patience: Patience) -> Checked {
        let node_secs = self.arrival.keep_alive_secs;
        if node_secs > SHORT_SECS && patience == Patience::Short {
            return Ok(Vec::new());
        }
        sleep(Duration::from_secs(node_secs.into()).saturating_sub(MARGIN)).await;
        let again: Arrival = self.target.get(arrival::PATH).await.map_err(failed)?;
        let Some(paused_ms) = again.paused_ms else { return Ok(Vec::new()) };
        let paused = Duration::from_millis(paused_ms) + 2 * MARGIN;
        let is_kept = paused >= Duration::from_secs(node_secs.into());
        let finding = is_kept.then_some(Finding::KeepsConnections { node_secs });
        verdict(
            "connections to the node are kept for less time than the node keeps them",
            finding.into_iter().collect(),
        )
    }
}

/// As somebody set it, of whom it came a little early or late.
fn whole_secs(since: Instant) -> u64 {
    since.elapsed().as_secs_f64().round() as u64
}

fn verdict(good: &str, findings: Vec<Finding>) -> Checked {
    if findings.is_empty() { Ok(vec![good.to_owned()]) } else { Err(findings) }
}

fn failed(what: String) -> Vec<Finding> {
    vec![Finding::Failed { what }]
}

pub(super) fn get(
    target: &Target,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<axum::http::Request<Body>, String> {
    let request = target.request(Method::GET, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).map_err(|error| error.to_string())
}

fn which(headers: &HeaderMap) -> Proxy {
    let told = [SERVER, VIA].iter().filter_map(|name| headers.get(name)?.to_str().ok()).collect::<String>();
    let told = told.to_ascii_lowercase();
    match () {
        () if told.contains("nginx") => Proxy::Nginx,
        () if told.contains("caddy") => Proxy::Caddy,
        () => Proxy::Unknown,
    }
}

async fn sign_in(target: &Target) -> Result<String, Finding> {
    let body = json!({ "name": NAME }).to_string();
    let request = target.request(Method::POST, endpoint::ME).header(CONTENT_TYPE, "application/json");
    let request =
        request.body(Body::from(body)).map_err(|error| Finding::Failed { what: error.to_string() })?;
    let told = target.ask_soon(request).await.map_err(|what| Finding::Failed { what })?;
    let cookie = told.headers.get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok()?.split(';').next());
    match (told.status, cookie) {
        (StatusCode::CREATED, Some(cookie)) => Ok(cookie.to_owned()),
        (StatusCode::FORBIDDEN, _) => Err(Finding::OriginRefused { detail: told.detail() }),
        (status, _) => {
            Err(Finding::Failed { what: format!("signing in is answered with {status}: {}", told.detail()) })
        }
    }
}

/// One of the first namespace that the node's documents name.
async fn topic(target: &Target) -> Option<Topic> {
    let contract: Value = target.get("/api/asyncapi.json").await.ok()?;
    let namespace = contract["x-topics"].as_object()?.keys().next()?.clone();
    Topic::new(&namespace, NAME).ok()
}

fn endpoint_of(topic: &Topic) -> String {
    endpoint::events(topic, Part::Newest, None, 1)
}
