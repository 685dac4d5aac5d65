//! `App`: the only place where the parts are wired together, and from which every task starts.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use prometheus_client::registry::Registry;
use realtime::{Bus, Node, NodeDeps};
use shared::Millis;
use tokio_util::sync::CancellationToken;

use crate::accounts::DELETE_AFTER_MS;
use crate::bus;
use crate::config::{Config, NAME};
use crate::http::api::metrics;
use crate::http::guard::budget::Budget;
use crate::http::guard::client_ip::Proxies;
use crate::http::guard::origin::Origins;
use crate::http::guard::page_turns::PageTurns;
use crate::http::guard::rates::{Rates, Tally};
use crate::http::guard::shed::shed;
use crate::http::{self, AppParts, AppState, Feature};
use crate::limits::Limits;
use crate::memory::Memory;
use crate::net::tls::Tls;
use crate::net::{Listener, ListenerDeps, redirect};
use crate::preflight::{DataLock, StartError, bind, client_files, encryption, lock, refused};
use crate::random::random_text;
use crate::steady_clock::SteadyClock;
use crate::storage::{FileIdentity, Storage};
use crate::telemetry::edge_metrics::EdgeMetrics;

/// The time over which the clients of a stopping node are spread when they come back.
const RECONNECT_SPREAD_MS: u64 = 3_000;
/// The time for sockets to take their last frames, and then for requests to be answered.
const GRACE: Duration = Duration::from_secs(4);
/// The interval at which idle rates are dropped and expired sign-ins deleted.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(60);
const NODE_NAME_CHARS: usize = 8;

/// A node that is ready to serve.
pub struct App {
    state: AppState,
    router: Router,
    listener: Listener,
    address: SocketAddr,
    tls: Option<Tls>,
    /// The plain address that redirects to TLS.
    redirect: Option<(Listener, Router)>,
    /// The address for Prometheus.
    metrics: Option<(Listener, Router)>,
    /// The connections of each address.
    connections: Tally,
    /// The time for which a load balancer may still send clients after the signal to stop.
    drain_delay: Duration,
    storage: Storage,
    /// Held for as long as the process may write to the database.
    _database_lock: File,
}

impl App {
    /// Opens the data, wires the parts and binds the addresses.
    pub async fn build(config: Config, features: Vec<Feature>) -> Result<App, StartError> {
        let memory = Memory::new(config.limits.memory_max);
        config.limits.check(memory.max()).map_err(|(flag, why)| refused(flag)(why))?;
        let data = Data::open(&config).await?;
        let bus = bus::open(&config.bus).map_err(refused("--bus"))?;
        let client_files = Arc::new(client_files(&config)?);
        let (tls, transport) = encryption(&config)?;
        let limits = config.limits.clone();
        let rates = Rates::new(&limits);
        let proxies = Proxies::new(config.trusted_proxy.clone());
        let deps = listener_deps(&limits, rates.readers.clone(), proxies, memory.clone());
        let listener = bind("--listen", config.listen, &deps)?;
        let address = listener.address().map_err(refused("--listen"))?;
        let redirect = bind_redirect(&config, address, &deps)?;
        let node = start_node(&data.storage, bus, client_files.build(), &features, &limits);
        let budget = Budget::new(
            limits.address_bytes_max(memory.max()),
            limits.node_bytes_max(memory.max()),
            deps.metrics.clone(),
        );
        let registry = registry(&node, &deps.metrics, &memory, &budget);
        let metrics = match config.metrics_listen {
            None => None,
            Some(listen) => Some((bind_metrics(listen, &limits)?, metrics::router(registry))),
        };
        let origins = Origins::new(config.allow_origin, config.public_url, address.ip(), transport);
        let Data { storage, folder_lock, database_lock: (database_lock, lock_identity) } = data;
        let state = AppState::new(AppParts {
            node,
            accounts: storage.accounts.clone(),
            origins: Arc::new(origins),
            proxies: deps.proxies,
            client_files,
            rates,
            budget,
            memory,
            page_turns: PageTurns::default(),
            metrics: deps.metrics,
            limits,
            clock: now,
            leaving: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            transport,
            port: address.port(),
            check_locks: Box::new(move || folder_lock.check().and_then(|()| lock_identity.check())),
        });
        Ok(App {
            router: http::router(state.clone(), features),
            state,
            listener,
            address,
            tls,
            redirect,
            metrics,
            connections: deps.connections,
            drain_delay: Duration::from_secs(config.drain_delay_secs.into()),
            storage,
            _database_lock: database_lock,
        })
    }

    /// The URL of the main address.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `stop` is ready, then sends the sockets away, answers the requests under way, and closes the database.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let closing = CancellationToken::new();
        let handshakes = self.tls.as_ref().map(|tls| tls.config.clone());
        let serving = tokio::spawn(self.listener.serve(self.router, handshakes, closing.clone()));
        if let Some((listener, router)) = self.redirect {
            tokio::spawn(listener.serve(router, None, closing.clone()));
        }
        if let Some((listener, router)) = self.metrics {
            tokio::spawn(listener.serve(router, None, closing.clone()));
        }
        if let Some(tls) = self.tls {
            tokio::spawn(tls.keep_current(closing.clone()));
        }
        let state = self.state;
        let file = self.storage.file.display();
        match &self.storage.found {
            None => tracing::info!(%file, "made a new log"),
            Some(found) => tracing::info!(%file, "opened the log: {found}"),
        }
        if let Some(max) = state.memory.max() {
            tracing::info!(max, "the memory is limited");
        }
        let cleaning = tokio::spawn(clean_up(state.clone()));
        let shedding = tokio::spawn(shed_when_full(state.clone(), self.connections));
        stop.await;
        tracing::info!("stopping");
        cleaning.abort();
        shedding.abort();
        state.leave();
        tokio::time::sleep(self.drain_delay).await;
        state.drain();
        state.node.drain(RECONNECT_SPREAD_MS);
        let ended = tokio::time::timeout(GRACE, state.node.all_sessions_ended()).await;
        if ended.is_err() {
            tracing::warn!(left = state.node.sessions_open(), "some sockets did not take their last frames");
        }
        closing.cancel();
        match tokio::time::timeout(GRACE, serving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the listener failed"),
            Err(_) => tracing::warn!("some requests were not answered in time"),
        }
        state.node.stop().await;
        self.storage.close().await;
        let metrics = state.node.metrics();
        tracing::info!(
            pulls_from_memory = metrics.pulls_from_memory.get(),
            pulls_from_log = metrics.pulls_from_log.get(),
            topics_behind = metrics.topics_behind.get(),
            frames_refused = metrics.frames_refused.get(),
            signals_dropped = metrics.signals_dropped.get(),
            reads_paused = metrics.reads_paused.get(),
            "stopped"
        );
    }
}

/// The open database, and the locks that keep other processes away from it and from its folder.
struct Data {
    storage: Storage,
    folder_lock: DataLock,
    database_lock: (File, FileIdentity),
}

impl Data {
    async fn open(config: &Config) -> Result<Data, StartError> {
        let folder_lock = lock(&config.data)?;
        let location = config.database().map_err(refused("--database"))?;
        let database_lock = location.lock().map_err(refused("--database"))?;
        let storage = Storage::open(&location, config.new_epoch()).await.map_err(refused("--database"))?;
        Ok(Data { storage, folder_lock, database_lock })
    }
}

fn start_node(
    storage: &Storage,
    bus: Arc<dyn Bus>,
    build: &str,
    features: &[Feature],
    limits: &Limits,
) -> Arc<Node> {
    Node::start(NodeDeps {
        name: random_text(NODE_NAME_CHARS),
        build: build.to_owned(),
        log: storage.log.clone(),
        bus,
        rules: features.iter().map(|feature| (feature.namespace, feature.access.clone())).collect(),
        limits: limits.of_node(),
        clock: now,
    })
}

fn listener_deps(limits: &Limits, readers: Tally, proxies: Proxies, memory: Memory) -> ListenerDeps {
    ListenerDeps {
        connections: Tally::of_connections(limits),
        readers,
        proxies,
        metrics: EdgeMetrics::default(),
        pause_max: Duration::from_secs(limits.keep_alive_secs.into()),
        memory,
    }
}

/// Binds the plain address that redirects to TLS, if there is to be one.
fn bind_redirect(
    config: &Config,
    address: SocketAddr,
    deps: &ListenerDeps,
) -> Result<Option<(Listener, Router)>, StartError> {
    let Some(from) = config.redirect_from else { return Ok(None) };
    let to_port = config.redirect_to_port.unwrap_or(address.port());
    Ok(Some((bind("--redirect-from", from, deps)?, redirect::to_tls(to_port))))
}

/// Collects everything that Prometheus reads.
fn registry(node: &Arc<Node>, edge: &EdgeMetrics, memory: &Memory, budget: &Budget) -> Registry {
    // Names of metrics have no hyphen, and the product's may.
    let mut registry = Registry::with_prefix(NAME.replace('-', "_"));
    node.register(&mut registry);
    edge.register(&mut registry);
    metrics::register_memory(memory.clone(), budget.clone(), &mut registry);
    registry
}

/// Binds the address for Prometheus. Its connections are not those of clients, and not counted among them.
fn bind_metrics(listen: SocketAddr, limits: &Limits) -> Result<Listener, StartError> {
    let deps = listener_deps(limits, Tally::of_readers(limits), Proxies::default(), Memory::default());
    let listener = bind("--metrics-listen", listen, &deps)?;
    let address = listener.address().map_err(refused("--metrics-listen"))?;
    tracing::info!("metrics are on http://{address}/metrics");
    Ok(listener)
}

/// Sends crowds away whenever memory is about to run out.
async fn shed_when_full(state: AppState, connections: Tally) {
    state.memory.clone().watch(|urgency| shed(&state, &connections, urgency)).await;
}

async fn clean_up(state: AppState) {
    let mut times = tokio::time::interval(CLEAN_UP_EVERY);
    let mut clock = SteadyClock::new(now());
    loop {
        times.tick().await;
        state.rates.drop_idle();
        // Expired sign-ins are refused at once. Deleting them waits until the clock is proved right: one that is wrong for
        // a minute must not sign everybody out for good.
        if !clock.is_steady(now()) {
            continue;
        }
        if let Err(error) = state.accounts.delete_expired(state.renewed_since() - DELETE_AFTER_MS).await {
            tracing::warn!(%error, "expired sign-ins could not be deleted; it is tried again");
        }
    }
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as Millis
}
