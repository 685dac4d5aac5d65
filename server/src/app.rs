//! `App`: the only place where the parts are wired together, and from which every task starts.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use prometheus_client::registry::Registry;
use shared::Millis;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, NAME};
use crate::http::{
    self, AppState, Budget, Common, Feature, Listener, Meters, Origins, Proxies, Rates, Tally, Turns,
};
use crate::limits::Limits;
use crate::memory::Memory;
use crate::people;
use crate::random::random_text;
use crate::realtime::{self, NewEpoch, Node};
use crate::start::{StartError, bind, encryption, lock, pages, refused};
use crate::steady::SteadyClock;
use crate::store::{Lost, Store};
use crate::tls::Tls;

/// Over how long the clients of a node that stops are asked to come back.
const COME_BACK_WITHIN_MS: u64 = 3_000;
/// How long sockets have to take their last frames, and then requests to be answered.
const GRACE: Duration = Duration::from_secs(4);
/// How often what is over is forgotten: rates of the quiet, and old sign-ins.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// A sign-in that has been over for so long is forgotten.
const OVER_FOR: Millis = 30 * 24 * 60 * 60 * 1_000;
const NODE_NAME_CHARS: usize = 8;

/// A node that is ready to serve.
pub struct App {
    state: AppState,
    router: Router,
    listener: Listener,
    address: SocketAddr,
    tls: Option<Tls>,
    /// The second address, and where it sends everybody.
    redirect: Option<(Listener, Router)>,
    /// The address for Prometheus.
    metrics: Option<(Listener, Router)>,
    /// The connections of each address.
    connections: Tally,
    /// For how long a load balancer may still send clients after the node was told to stop.
    drain_delay: Duration,
    /// Held for as long as the process may write to the database.
    _database: File,
}

impl App {
    /// Opens the data, wires the parts and binds the address.
    pub async fn build(config: Config, features: Vec<Feature>) -> Result<App, StartError> {
        let memory = Memory::new(config.limits.memory_max);
        config.limits.check(memory.max()).map_err(|(flag, why)| refused(flag)(why))?;
        let lock = lock(&config.data)?;
        let location = config.log().map_err(refused("--log"))?;
        let (database, database_lock) = location.lock().map_err(refused("--log"))?;
        // Who begins a new life knows that something is missing.
        let (new_epoch, lost) =
            if config.new_epoch { (NewEpoch::Begin, Lost::Accept) } else { (NewEpoch::Keep, Lost::Refuse) };
        let store = Store::open(&location, lost).await.map_err(refused("--log"))?;
        let (log, holds) = realtime::log::open(&store, new_epoch).await.map_err(refused("--log"))?;
        let people = people::open(&store);
        let bus = realtime::open_bus(&config.bus).await.map_err(refused("--bus"))?;
        let pages = pages(&config)?;
        let (tls, transport) = encryption(&config)?;
        let limits = config.limits;
        let connections = Tally::of_connections(&limits);
        let rates = Rates::new(&limits);
        let proxies = Proxies::new(config.trusted_proxy);
        let meters = Meters::default();
        let pause_max = Duration::from_secs(limits.keep_alive_secs.into());
        let budget = Budget::new(limits.address_bytes_max(memory.max()), limits.node_bytes_max(memory.max()));
        let common = Common {
            connections: connections.clone(),
            readers: rates.readers.clone(),
            proxies: proxies.clone(),
            meters: meters.clone(),
            pause_max,
            memory: memory.clone(),
        };
        let listener = bind("--listen", config.listen, &common)?;
        let address = listener.address().map_err(refused("--listen"))?;
        let redirect = match config.redirect_from {
            None => None,
            Some(from) => {
                let listener = bind("--redirect-from", from, &common)?;
                Some((listener, http::to_tls(config.redirect_to_port.unwrap_or(address.port()))))
            }
        };
        let node = Node::start(realtime::Parts {
            name: random_text(NODE_NAME_CHARS),
            build: pages.build().to_owned(),
            log,
            bus,
            rules: features.iter().map(|feature| (feature.namespace, feature.access.clone())).collect(),
            limits: limits.clone(),
            clock: now,
        });
        let metrics = match config.metrics_listen {
            None => None,
            Some(listen) => Some(metrics(listen, &limits, &node, &meters, memory.clone(), budget.clone())?),
        };
        let origins = Origins::new(config.allow_origin, config.public_url, address.ip(), transport);
        let (leaving, draining) = (AtomicBool::new(false), AtomicBool::new(false));
        let state = AppState::new(http::Parts {
            node,
            people,
            origins,
            proxies,
            pages,
            rates,
            budget,
            memory: memory.clone(),
            turns: Turns::default(),
            meters,
            limits,
            clock: now,
            leaving,
            draining,
            transport,
            port: address.port(),
            in_place: Box::new(move || lock.check().and_then(|()| database_lock.check())),
        });
        let router = http::router(state.clone(), features);
        let file = location.file().display();
        match holds {
            None => tracing::info!(%file, "made a new log"),
            Some(holds) => tracing::info!(%file, "opened the log: {holds}"),
        }
        let drain_delay = Duration::from_secs(config.drain_delay_secs.into());
        if let Some(max) = memory.max() {
            tracing::info!(max, "the memory is limited");
        }
        Ok(App {
            state,
            router,
            listener,
            address,
            tls,
            redirect,
            metrics,
            connections,
            drain_delay,
            _database: database,
        })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `stop` is ready, then sends the sockets away, answers what is in flight, and closes the log.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let App { state, router, listener, tls, redirect, metrics, connections, drain_delay, .. } = self;
        let closing = CancellationToken::new();
        let handshakes = tls.as_ref().map(|tls| tls.config.clone());
        let serving = tokio::spawn(listener.serve(router, handshakes, closing.clone()));
        for (listener, router) in redirect.into_iter().chain(metrics) {
            tokio::spawn(listener.serve(router, None, closing.clone()));
        }
        if let Some(tls) = tls {
            tokio::spawn(tls.keep_current(closing.clone()));
        }
        let tidying = tokio::spawn(tidy(state.clone()));
        let shedding = tokio::spawn(shed(state.clone(), connections));
        stop.await;
        tracing::info!("stopping");
        tidying.abort();
        shedding.abort();
        state.leave();
        tokio::time::sleep(drain_delay).await;
        state.drain();
        state.node.drain(COME_BACK_WITHIN_MS);
        let ended = tokio::time::timeout(GRACE, state.node.all_sessions_ended()).await;
        if ended.is_err() {
            tracing::warn!(left = state.node.sessions_open(), "some sockets did not take their last frames");
        }
        closing.cancel();
        if tokio::time::timeout(GRACE, serving).await.is_err() {
            tracing::warn!("some requests were not answered in time");
        }
        state.node.stop().await;
        state.people.close().await;
        let figures = state.node.figures();
        tracing::info!(
            pulls_from_memory = figures.pulls_from_memory.get(),
            pulls_from_log = figures.pulls_from_log.get(),
            topics_behind = figures.topics_behind.get(),
            frames_refused = figures.frames_refused.get(),
            signals_dropped = figures.signals_dropped.get(),
            reads_paused = figures.reads_paused.get(),
            "stopped"
        );
    }
}

/// Where Prometheus reads: its connections are not those of clients, and are not counted among them.
fn metrics(
    listen: SocketAddr,
    limits: &Limits,
    node: &Arc<Node>,
    meters: &Meters,
    memory: Memory,
    budget: Budget,
) -> Result<(Listener, Router), StartError> {
    let common = Common {
        connections: Tally::of_connections(limits),
        readers: Tally::of_readers(limits),
        proxies: Proxies::default(),
        meters: Meters::default(),
        pause_max: Duration::from_secs(limits.keep_alive_secs.into()),
        memory: Memory::default(),
    };
    let listener = bind("--metrics-listen", listen, &common)?;
    let address = listener.address().map_err(refused("--metrics-listen"))?;
    tracing::info!("metrics are on http://{address}/metrics");
    // Names of metrics have no hyphen, and the product's may.
    let mut registry = Registry::with_prefix(NAME.replace('-', "_"));
    node.register(&mut registry);
    meters.register(&mut registry);
    http::register_memory(memory, budget, &mut registry);
    Ok((listener, http::metrics(registry)))
}

/// Sends crowds away whenever memory is about to run out.
async fn shed(state: AppState, connections: Tally) {
    state.memory.clone().watch(|urgency| http::shed(&state, &connections, urgency)).await;
}

async fn tidy(state: AppState) {
    let mut times = tokio::time::interval(TIDY_EVERY);
    let mut clock = SteadyClock::new(now());
    loop {
        times.tick().await;
        state.rates.forget_the_quiet();
        // They are refused as soon as they are over; to delete them, a clock that is wrong for a minute must not do.
        if !clock.is_steady(now()) {
            continue;
        }
        if let Err(error) = state.people.forget(state.renewed_since() - OVER_FOR).await {
            tracing::warn!(%error, "old sign-ins could not be forgotten; it is tried again");
        }
    }
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as Millis
}
