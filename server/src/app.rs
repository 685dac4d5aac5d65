//! `App`: the only place where the parts are wired together, and from which every task starts.

use std::fs;
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use shared::Millis;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::http::{self, AppState, Feature, Listener, Origins, Pages, Rates, Tally, Transport};
use crate::random::random_text;
use crate::realtime::{self, Count, NewEpoch, Node};
use crate::tls::{self, Tls};
use crate::{people, shutdown, telemetry};

/// Over how long the clients of a node that stops are asked to come back.
const COME_BACK_WITHIN_MS: u64 = 3_000;
/// How long sockets have to take their last frames, and then requests to be answered.
const GRACE: Duration = Duration::from_secs(4);
/// How often the rates of people who are long quiet are forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(60);
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
    /// Held for as long as the process may write to the folder.
    _lock: File,
}

/// Why a node does not start. One line, which names what to change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// The whole program: reads flags and environment, and serves these features until it is told to stop.
pub fn run(features: Vec<Feature>) -> ExitCode {
    let config = match Config::read() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let started = tokio::runtime::Runtime::new()
        .map_err(|error| StartError(format!("the runtime cannot start: {error}")))
        .and_then(|runtime| {
            runtime.block_on(async {
                telemetry::start(&config.log_filter, config.log_format).map_err(StartError)?;
                let app = App::build(config, features).await?;
                let stop = shutdown::requested()
                    .map_err(|error| StartError(format!("signals cannot be watched: {error}")))?;
                // Nobody may be there to read it.
                writeln!(io::stdout(), "listening on {}", app.url()).ok();
                app.serve(stop).await;
                Ok(())
            })
        });
    match started {
        Ok(()) => ExitCode::SUCCESS,
        Err(StartError(line)) => {
            eprintln!("duplex: {line}");
            ExitCode::FAILURE
        }
    }
}

impl App {
    /// Opens the data, wires the parts and binds the address.
    pub async fn build(config: Config, features: Vec<Feature>) -> Result<App, StartError> {
        let lock = lock(&config.data)?;
        let log_url = config.log_url();
        let new_epoch = if config.new_epoch { NewEpoch::Begin } else { NewEpoch::Keep };
        let log = realtime::log::open(&log_url, new_epoch).await.map_err(refused("--log"))?;
        let people = people::open(&log_url).await.map_err(refused("--log"))?;
        let bus = realtime::open_bus(&config.bus).await.map_err(refused("--bus"))?;
        let pages = match &config.pages {
            None => Pages::built_in(),
            Some(folder) => Pages::from_folder(folder)
                .map_err(|error| StartError(format!("--pages {}: {error}", folder.display())))?,
        };
        let (tls, transport) = encryption(&config)?;
        let limits = config.limits;
        let tally = Tally::new(limits.address_connections_max);
        let listener = Listener::bind(config.listen, tally.clone())
            .map_err(|error| StartError(busy("--listen", config.listen, &error)))?;
        let address = listener.address().map_err(refused("--listen"))?;
        let redirect = match config.redirect_from {
            None => None,
            Some(from) => {
                let listener = Listener::bind(from, tally)
                    .map_err(|error| StartError(busy("--redirect-from", from, &error)))?;
                Some((listener, http::to_tls(address.port())))
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
        let origins = Origins::new(config.allow_origin, address.ip(), transport);
        let rates = Rates::new(&limits);
        let draining = AtomicBool::new(false);
        let state = AppState::new(http::Parts {
            node,
            people,
            origins,
            pages,
            rates,
            limits,
            clock: now,
            draining,
            transport,
        });
        let router = http::router(state.clone(), features);
        Ok(App { state, router, listener, address, tls, redirect, _lock: lock })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `stop` is ready, then sends the sockets away, answers what is in flight, and closes the log.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let App { state, router, listener, tls, redirect, .. } = self;
        let closing = CancellationToken::new();
        let handshakes = tls.as_ref().map(|tls| tls.config.clone());
        let serving = tokio::spawn(listener.serve(router, handshakes, closing.clone()));
        if let Some((listener, to_tls)) = redirect {
            tokio::spawn(listener.serve(to_tls, None, closing.clone()));
        }
        if let Some(tls) = tls {
            tokio::spawn(tls.keep_current(closing.clone()));
        }
        let tidying = tokio::spawn(tidy(state.clone()));
        stop.await;
        tracing::info!("stopping");
        tidying.abort();
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
        let of = |count| state.node.figures().of(count);
        tracing::info!(
            pulls_from_memory = of(Count::PullsFromMemory),
            pulls_from_log = of(Count::PullsFromLog),
            topics_behind = of(Count::TopicsBehind),
            frames_refused = of(Count::FramesRefused),
            signals_dropped = of(Count::SignalsDropped),
            reads_paused = of(Count::ReadsPaused),
            "stopped"
        );
    }
}

async fn tidy(state: AppState) {
    let mut times = tokio::time::interval(TIDY_EVERY);
    loop {
        times.tick().await;
        state.rates.forget_the_quiet();
    }
}

/// Two processes on one folder would number events twice.
fn lock(data: &Path) -> Result<File, StartError> {
    let cannot = |error: io::Error| StartError(format!("--data {}: {error}", data.display()));
    fs::create_dir_all(data).map_err(cannot)?;
    let file = File::create(data.join("lock")).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StartError(format!(
            "--data {}: another process uses this folder; stop it, or choose another folder",
            data.display()
        ))),
        Err(fs::TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// What is encrypted. An address that other machines can reach is not served without TLS by oversight.
fn encryption(config: &Config) -> Result<(Option<Tls>, Transport), StartError> {
    let listen = config.listen;
    let Some(source) = config.tls_source() else {
        return match config {
            Config { redirect_from: Some(from), .. } => Err(StartError(format!(
                "--redirect-from {from}: there is no TLS to send anybody to; give --tls-cert and --tls-key too"
            ))),
            Config { insecure_http: false, .. } if !listen.ip().is_loopback() => Err(StartError(format!(
                "--listen {listen}: other machines can reach this address, and nothing would be encrypted; give \
                 --tls-cert and --tls-key, or --insecure-http where a proxy in front speaks TLS"
            ))),
            _ => Ok((None, Transport::Plain)),
        };
    };
    let tls = Tls::open(&source).map_err(|error| StartError(error.to_string()))?;
    let transport = match source {
        tls::Source::SelfSigned(_) => Transport::LocalTls,
        tls::Source::Files { .. } => Transport::Tls,
    };
    Ok((Some(tls), transport))
}

fn busy(flag: &str, listen: SocketAddr, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        format!("{flag} {listen}: the port is in use; stop what uses it, or choose another port")
    } else {
        format!("{flag} {listen}: {error}")
    }
}

fn refused<E: std::fmt::Display>(flag: &'static str) -> impl Fn(E) -> StartError {
    move |error| StartError(format!("{flag}: {error}"))
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as Millis
}
