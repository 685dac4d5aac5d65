//! `Config`: what a node can be told. A field's doc comment is its flag's help; each flag is an environment
//! variable too, the flag wins, and nothing needs to be set.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::authority::Origin;
use crate::doctor::Patience;
use crate::limits::Limits;
use crate::store::{Location, StoreError};
use crate::telemetry::LogFormat;
use crate::tls;

/// The program's name. Metrics begin with it too.
pub const NAME: &str = "duplex";
/// Every variable begins like this.
const PREFIX: &str = "DUPLEX_";
/// The bits before the IPv4 address in an IPv6 address that stands for it (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// A node: HTTP API, WebSocket push and the page, on one address
#[derive(Parser, Debug, Clone)]
#[command(name = NAME, version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "DUPLEX_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// File with the certificate chain (PEM); with it the address speaks TLS. Replaced on disk, it is taken up at once
    #[arg(long, env = "DUPLEX_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// File with the key of that certificate (PEM)
    #[arg(long, env = "DUPLEX_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// TLS without files of yours
    #[arg(long, env = "DUPLEX_TLS", value_enum, conflicts_with = "tls_cert", value_name = "KIND")]
    #[arg(requires_ifs([("proxy", "trusted_proxy"), ("acme", "acme_domain"), ("acme", "acme_contact")]))]
    pub tls: Option<TlsKind>,
    /// Name that the certificate of --tls acme is for; several are separated by commas
    #[arg(long, env = "DUPLEX_ACME_DOMAIN", value_delimiter = ',', value_name = "NAME")]
    pub acme_domain: Vec<String>,
    /// Mail address to which the authority may write
    #[arg(long, env = "DUPLEX_ACME_CONTACT", value_name = "ADDRESS")]
    pub acme_contact: Option<String>,
    /// The authority's directory
    #[arg(long, env = "DUPLEX_ACME_DIRECTORY", value_name = "URL", default_value = LETS_ENCRYPT)]
    pub acme_directory: String,
    /// File with the root (PEM) that vouches for the authority's own address, where the system's roots do not
    #[arg(long, env = "DUPLEX_ACME_ROOT", value_name = "FILE")]
    pub acme_root: Option<PathBuf>,
    /// Age at which a certificate is replaced
    #[arg(long, env = "DUPLEX_ACME_RENEW_DAYS", value_name = "DAYS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub acme_renew_days: u32,
    /// Address that people see, such as https://app.example.org, where a proxy or a tunnel in front has another one:
    /// its Host and its Origin are welcome
    #[arg(long, env = "DUPLEX_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<Origin>,
    /// Network of a proxy in front, whose X-Forwarded-For, or else Forwarded, is believed; several are separated by commas
    #[arg(long, env = "DUPLEX_TRUSTED_PROXY", value_delimiter = ',', value_name = "NETWORK", value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,
    /// Second address, which only sends browsers to the one that speaks TLS
    #[arg(long, env = "DUPLEX_REDIRECT_FROM", value_name = "ADDRESS")]
    pub redirect_from: Option<SocketAddr>,
    /// Port to which it sends them, where another is in front of ours [default: the port of --listen]
    #[arg(long, env = "DUPLEX_REDIRECT_TO_PORT", value_name = "PORT", requires = "redirect_from")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub redirect_to_port: Option<u16>,
    /// Serve without any TLS on an address that other machines can reach
    #[arg(long, env = "DUPLEX_INSECURE_HTTP", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    pub insecure_http: bool,
    /// Second address, for Prometheus: /metrics, without TLS, for whoever reaches it
    #[arg(long, env = "DUPLEX_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// Folder of everything that must survive a restart; made when missing
    #[arg(long, env = "DUPLEX_DATA", global = true, default_value = "data", value_name = "FOLDER")]
    pub data: PathBuf,
    /// Where the events and the people are: sqlite:FILE [default: sqlite:{data}/duplex.db]
    #[arg(long, env = "DUPLEX_LOG", global = true, value_name = "URL")]
    pub log: Option<String>,
    /// What links the nodes: local: for one node
    #[arg(long, env = "DUPLEX_BUS", default_value = "local:", value_name = "URL")]
    pub bus: String,
    /// Origin of a page on another host of this site that may use the API; several are separated by commas
    #[arg(long, env = "DUPLEX_ALLOW_ORIGIN", value_delimiter = ',', value_name = "ORIGIN", value_parser = origin)]
    pub allow_origin: Vec<Origin>,
    /// Seconds between being told to stop and sending clients away: /readyz is red meanwhile, and all else goes on
    #[arg(long, env = "DUPLEX_DRAIN_DELAY_SECS", default_value_t = 0, value_name = "SECONDS")]
    pub drain_delay_secs: u32,
    /// Begin a new life of the log, once, to go on where its newest events were lost: every reader starts over
    #[arg(long, env = "DUPLEX_NEW_EPOCH", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    pub new_epoch: bool,
    /// Folder of a built client to serve in place of the built-in one
    #[arg(long, env = "DUPLEX_PAGES", value_name = "FOLDER")]
    pub pages: Option<PathBuf>,
    /// What the node logs on standard error, such as info or server=debug
    #[arg(long, env = "DUPLEX_LOG_FILTER", default_value = "info", value_name = "FILTER")]
    pub log_filter: String,
    /// How its log lines look
    #[arg(long, env = "DUPLEX_LOG_FORMAT", default_value = "text", value_enum)]
    pub log_format: LogFormat,
    /// Only say whether a node could start like this, also while one runs
    #[arg(long, action = ArgAction::SetTrue)]
    pub check_config: bool,
    /// Only print every setting as it would count, as a file of environment variables
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "check_config")]
    pub print_config: bool,
    /// Where traces are sent: an OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318
    #[cfg_attr(feature = "otel", arg(long, env = "DUPLEX_OTLP_ENDPOINT", value_name = "URL"))]
    #[cfg_attr(not(feature = "otel"), arg(skip))]
    pub otlp_endpoint: Option<String>,
    #[command(flatten)]
    pub limits: Limits,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do in place of serving.
#[derive(Subcommand, Debug, Clone)]
pub enum Command {
    /// Copy the events and the people to a new file, while the node runs
    Backup {
        /// The file; there must be none of that name
        file: PathBuf,
    },
    /// Put a backup in the place of the log, while no node runs; what was there is kept beside it
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Read all of a backup, and say what it holds or what is wrong with it
    Verify {
        /// The backup
        file: PathBuf,
    },
    /// Call a node's public address as a browser would, and say what is wrong in between and which line to change
    Doctor {
        /// The address, such as https://app.example.org
        #[arg(value_parser = public_url)]
        url: Origin,
        /// File with the root (PEM) that vouches for the address, where the system's roots do not
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// Also wait, for minutes, to see how long the proxy keeps its connections
        #[arg(long)]
        patient: bool,
    },
    /// Ask the node that runs with these settings whether it is ready: for a container's health check
    Healthcheck,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Task {
    /// Be a node.
    Serve,
    /// Say whether it could be one.
    Check,
    /// Print this.
    Print(String),
    /// Copy the events and the people to this file.
    Backup(PathBuf),
    /// Put this file in the place of the log.
    Restore(PathBuf),
    /// Say what this file holds.
    Verify(PathBuf),
    /// Ask a running node whether it is ready.
    Healthcheck,
    /// Examine an address, by this root, for so long.
    Doctor(Origin, Option<PathBuf>, Patience),
}

impl From<Command> for Task {
    fn from(command: Command) -> Task {
        match command {
            Command::Backup { file } => Task::Backup(file),
            Command::Restore { file } => Task::Restore(file),
            Command::Verify { file } => Task::Verify(file),
            Command::Healthcheck => Task::Healthcheck,
            Command::Doctor { url, root, patient } => {
                Task::Doctor(url, root, if patient { Patience::Long } else { Patience::Short })
            }
        }
    }
}

/// Where TLS comes from, without files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsKind {
    /// A certificate for this machine only, made once in the data folder
    SelfSigned,
    /// A certificate from an authority such as Let's Encrypt, which must reach this node on port 443 of the name
    Acme,
    /// A proxy in front speaks TLS, and plain HTTP to this node
    Proxy,
}

impl Config {
    /// Reads flags and environment. What cannot be used is said in one line, with the exit code to end with.
    pub fn read() -> Result<(Task, Config), ExitCode> {
        let read = without_empty(Config::command()).try_get_matches().and_then(|matches| {
            let config = Config::from_arg_matches(&matches)?;
            let task = match &config {
                Config { command: Some(command), .. } => command.clone().into(),
                Config { check_config: true, .. } => Task::Check,
                Config { print_config: true, .. } => Task::Print(settings(&matches)),
                _ => Task::Serve,
            };
            Ok((task, config))
        });
        read.map_err(|error| {
            if !error.use_stderr() {
                // The help and the version, which are no errors.
                error.print().ok();
                return ExitCode::SUCCESS;
            }
            let told = error.to_string();
            let told = told.lines().map(str::trim).filter(|line| !line.is_empty());
            let told: Vec<&str> = told.take_while(|line| !line.starts_with("Usage:")).collect();
            let told = told.join(" ").replace(" For more information, try '--help'.", "; see --help");
            writeln!(io::stderr(), "{NAME}: {}", told.trim_start_matches("error: ")).ok();
            ExitCode::from(2)
        })
    }

    /// Where the certificate comes from; nothing without TLS.
    pub fn tls_source(&self) -> Option<tls::Source> {
        match (&self.tls_cert, &self.tls_key, self.tls) {
            (Some(cert), Some(key), _) => Some(tls::Source::Files { cert: cert.clone(), key: key.clone() }),
            (_, _, Some(TlsKind::SelfSigned)) => Some(tls::Source::SelfSigned(self.data.join("tls"))),
            (_, _, Some(TlsKind::Acme)) => Some(tls::Source::Acme(tls::Acme {
                folder: self.data.join("acme"),
                domains: self.acme_domain.clone(),
                contact: self.acme_contact.clone().unwrap_or_default(),
                directory: self.acme_directory.clone(),
                root: self.acme_root.clone(),
                renew_after: Duration::from_secs(u64::from(self.acme_renew_days) * 24 * 60 * 60),
            })),
            _ => None,
        }
    }

    /// Where the log is, also where none was given.
    pub fn log(&self) -> Result<Location, StoreError> {
        match &self.log {
            Some(url) => Location::parse(url),
            None => Location::of_file(&self.data.join("duplex.db")),
        }
    }
}

/// A network, or one address; of IPv6 addresses that stand for IPv4 ones, these.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    let network: IpNet = text
        .parse()
        .or_else(|_| alone())
        .map_err(|_| "must be an address or a network, such as 10.0.0.0/8")?;
    let IpAddr::V4(address) = network.addr().to_canonical() else { return Ok(network) };
    match (network, network.prefix_len().checked_sub(MAPPED_BITS)) {
        (IpNet::V4(_), _) => Ok(network),
        (IpNet::V6(_), Some(bits)) => IpNet::new(address.into(), bits).map_err(|error| error.to_string()),
        (IpNet::V6(_), None) => Err("is wider than all of IPv4; give it as two networks".into()),
    }
}

/// Every setting that has a variable, in the order of the help; those that are not set as comments.
fn settings(matches: &ArgMatches) -> String {
    let line = |argument: &clap::Arg| {
        let variable = argument.get_env()?.to_string_lossy();
        let given = matches.get_raw(argument.get_id().as_str());
        Some(match given {
            None => format!("# {variable}=\n"),
            Some(values) => {
                let values: Vec<_> = values.map(|value| without_password(&value.to_string_lossy())).collect();
                format!("{variable}={}\n", values.join(","))
            }
        })
    };
    Config::command().get_arguments().filter_map(line).collect()
}

/// A URL may hold a name and a password before its host.
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let host_ends = rest.find('/').unwrap_or(rest.len());
    match rest[..host_ends].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => value.to_owned(),
    }
}

/// An origin as browsers send it: scheme, host and port, nothing after.
fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text.trim())
        .ok_or_else(|| "must be http:// or https:// and a host, such as https://example.org".into())
}

/// The same, and a slash after it is no path.
fn public_url(text: &str) -> Result<Origin, String> {
    let text = text.trim();
    Origin::parse(text.strip_suffix('/').unwrap_or(text)).ok_or_else(|| {
        "must be http:// or https:// and a host, with a port where it is not the usual one, and nothing else, such as \
         https://app.example.org"
            .into()
    })
}

/// A setting whose variable is empty is not set: compose files and charts write `${X:-}`.
fn without_empty(command: clap::Command) -> clap::Command {
    let is_empty = |argument: &clap::Arg| {
        let value = argument.get_env().and_then(env::var_os);
        value.is_some_and(|value| value.to_str().is_some_and(|text| text.trim().is_empty()))
    };
    command.mut_args(|argument| match is_empty(&argument) {
        true => argument.env(clap::builder::Resettable::Reset),
        false => argument,
    })
}

/// Variables that begin like ours and are none of ours, such as one with a slip of the pen.
pub fn unknown_variables() -> Vec<String> {
    let command = Config::command();
    let known: BTreeSet<&OsStr> = command.get_arguments().filter_map(clap::Arg::get_env).collect();
    let set = env::vars_os().map(|(name, _)| name).filter(|name| !known.contains(name.as_os_str()));
    set.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(PREFIX)).collect()
}
