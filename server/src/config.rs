//! `Config`: the settings of a node. A field's doc comment is the help of its flag; each flag is an environment variable
//! too, the flag wins, and nothing needs to be set.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::limits::Limits;
use crate::net::authority::Origin;
use crate::net::tls;
use crate::storage::{DbError, Location, NewEpoch};
use crate::telemetry::LogFormat;

/// The name of the program, and the prefix of its metrics.
pub const NAME: &str = "duplex";
/// The prefix of every variable.
const PREFIX: &str = "DUPLEX_";
/// The bits before the IPv4 address in an IPv6 address that stands for it (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Flags that have another name now. The old ones and their variables are refused: a setting that is silently ignored
/// would be worse than a node that does not start.
const RENAMED: [(&str, &str); 5] = [
    ("log", "database"),
    ("pages", "client-files"),
    ("outbox-frames-max", "mailbox-frames-max"),
    ("outbox-bytes-max", "mailbox-bytes-max"),
    ("address-guests-per-min", "address-accounts-per-min"),
];

/// A node: the HTTP API, the WebSocket and the web client, on one address
#[derive(Parser, Debug, Clone)]
#[command(name = NAME, version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "DUPLEX_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// File with the certificate chain (PEM); it turns TLS on. A file that is replaced is reloaded without a restart
    #[arg(long, env = "DUPLEX_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// File with the key of that certificate (PEM)
    #[arg(long, env = "DUPLEX_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Turn TLS on without certificate files
    #[arg(long, env = "DUPLEX_TLS", value_enum, conflicts_with = "tls_cert", value_name = "KIND")]
    #[arg(requires_ifs([("proxy", "trusted_proxy"), ("acme", "acme_domain"), ("acme", "acme_contact")]))]
    pub tls: Option<TlsKind>,
    /// Domain name for the certificate of --tls acme; separate several with commas
    #[arg(long, env = "DUPLEX_ACME_DOMAIN", value_delimiter = ',', value_name = "NAME")]
    pub acme_domain: Vec<String>,
    /// Mail address for notices of the certificate authority
    #[arg(long, env = "DUPLEX_ACME_CONTACT", value_name = "ADDRESS")]
    pub acme_contact: Option<String>,
    /// Directory URL of the certificate authority
    #[arg(long, env = "DUPLEX_ACME_DIRECTORY", value_name = "URL", default_value = LETS_ENCRYPT)]
    pub acme_directory: String,
    /// File with the root certificate (PEM) of the authority's own address, if the system does not trust it
    #[arg(long, env = "DUPLEX_ACME_ROOT", value_name = "FILE")]
    pub acme_root: Option<PathBuf>,
    /// Age in days at which a certificate is renewed
    #[arg(long, env = "DUPLEX_ACME_RENEW_DAYS", value_name = "DAYS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub acme_renew_days: u32,
    /// Address that people see, such as https://app.example.org, if a proxy or a tunnel in front has another one. Its Host
    /// and Origin are allowed
    #[arg(long, env = "DUPLEX_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<Origin>,
    /// Network of a trusted proxy, whose X-Forwarded-For or else Forwarded header is believed; separate several with commas
    #[arg(long, env = "DUPLEX_TRUSTED_PROXY", value_delimiter = ',', value_name = "NETWORK", value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,
    /// Second address, which only redirects browsers to the one with TLS
    #[arg(long, env = "DUPLEX_REDIRECT_FROM", value_name = "ADDRESS")]
    pub redirect_from: Option<SocketAddr>,
    /// Port of that redirect, if a proxy listens on another one [default: the port of --listen]
    #[arg(long, env = "DUPLEX_REDIRECT_TO_PORT", value_name = "PORT", requires = "redirect_from")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub redirect_to_port: Option<u16>,
    /// Serve without TLS on an address that other machines can reach
    #[arg(long, env = "DUPLEX_INSECURE_HTTP", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    pub insecure_http: bool,
    /// Second address that serves /metrics to Prometheus, without TLS and to anybody who can reach it
    #[arg(long, env = "DUPLEX_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// Folder for everything that must survive a restart; it is created if missing
    #[arg(long, env = "DUPLEX_DATA", global = true, default_value = "data", value_name = "FOLDER")]
    pub data: PathBuf,
    /// Database of the events and the accounts: sqlite:FILE [default: sqlite:{data}/duplex.db]
    #[arg(long, env = "DUPLEX_DATABASE", global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Link between the nodes; local: for a single node
    #[arg(long, env = "DUPLEX_BUS", default_value = "local:", value_name = "URL")]
    pub bus: String,
    /// Origin of a page on another host of this site that may use the API; separate several with commas
    #[arg(long, env = "DUPLEX_ALLOW_ORIGIN", value_delimiter = ',', value_name = "ORIGIN", value_parser = origin)]
    pub allow_origin: Vec<Origin>,
    /// Seconds between the signal to stop and sending clients away. /readyz answers 503 during this time; everything else
    /// keeps working
    #[arg(long, env = "DUPLEX_DRAIN_DELAY_SECS", default_value_t = 0, value_name = "SECONDS")]
    pub drain_delay_secs: u32,
    /// Begin a new epoch of the log, once, to go on after its newest events were lost; every reader starts over
    #[arg(long, env = "DUPLEX_NEW_EPOCH", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    pub new_epoch: bool,
    /// Folder of a built client to serve instead of the built-in one
    #[arg(long, env = "DUPLEX_CLIENT_FILES", value_name = "FOLDER")]
    pub client_files: Option<PathBuf>,
    /// Filter of the log lines on standard error, such as info, or info,realtime=debug
    #[arg(long, env = "DUPLEX_LOG_FILTER", default_value = "info", value_name = "FILTER")]
    pub log_filter: String,
    /// Format of the log lines
    #[arg(long, env = "DUPLEX_LOG_FORMAT", default_value = "text", value_enum)]
    pub log_format: LogFormat,
    /// Only check if a node could start with these settings, even while one runs
    #[arg(long, action = ArgAction::SetTrue)]
    pub check_config: bool,
    /// Only print the effective settings, as a file of environment variables
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "check_config")]
    pub print_config: bool,
    /// OpenTelemetry collector for traces, by OTLP over HTTP, such as http://127.0.0.1:4318
    #[cfg_attr(feature = "otel", arg(long, env = "DUPLEX_OTLP_ENDPOINT", value_name = "URL"))]
    #[cfg_attr(not(feature = "otel"), arg(skip))]
    pub otlp_endpoint: Option<String>,
    #[command(flatten)]
    pub limits: Limits,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands that do something else than serve.
#[derive(Subcommand, Debug, Clone)]
pub enum Command {
    /// Copy the events and the accounts to a new file, while the node runs
    Backup {
        /// The new file; it must not exist
        file: PathBuf,
    },
    /// Replace the database with a backup, while no node runs; the old one is kept beside it
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Read all of a backup, and report its contents or its faults
    Verify {
        /// The backup
        file: PathBuf,
    },
    /// Call a node's public address as a browser would, and report what a proxy in between breaks and which line to change
    Doctor {
        /// The address, such as https://app.example.org
        #[arg(value_parser = public_url)]
        url: Origin,
        /// File with the root certificate (PEM) of the address, if the system does not trust it
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// Also wait some minutes to see how long the proxy keeps idle connections
        #[arg(long)]
        patient: bool,
    },
    /// Ask the node that runs with these settings if it is ready, for a container's health check
    Healthcheck,
}

/// The task that the command line asks for.
#[derive(Debug)]
pub enum Task {
    /// Run a node.
    Serve,
    /// Check if a node could start.
    Check,
    /// Print this text.
    Print(String),
    /// Carry out a command.
    Run(Command),
}

/// The ways to TLS without certificate files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsKind {
    /// Make a certificate for this machine only, once, in the data folder
    SelfSigned,
    /// Get a certificate from an authority such as Let's Encrypt, which must reach this node on port 443 of the domain
    Acme,
    /// Leave TLS to a proxy in front, which speaks plain HTTP to this node
    Proxy,
}

impl Config {
    /// Reads flags and environment. An error is printed in one line; its exit code is returned.
    pub fn read() -> Result<(Task, Config), ExitCode> {
        if let Some(hint) = renamed_setting(env::args_os(), env::vars_os()) {
            writeln!(io::stderr(), "{NAME}: {hint}").ok();
            return Err(ExitCode::from(2));
        }
        let read = without_empty(Config::command()).try_get_matches().and_then(|matches| {
            let config = Config::from_arg_matches(&matches)?;
            let task = match &config {
                Config { command: Some(command), .. } => Task::Run(command.clone()),
                Config { check_config: true, .. } => Task::Check,
                Config { print_config: true, .. } => Task::Print(settings(&matches)),
                _ => Task::Serve,
            };
            Ok((task, config))
        });
        read.map_err(|error| {
            if !error.use_stderr() {
                // The help and the version are not errors.
                error.print().ok();
                return ExitCode::SUCCESS;
            }
            let text = error.to_string();
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("Usage:")).collect();
            let line = lines.join(" ").replace(" For more information, try '--help'.", "; see --help");
            writeln!(io::stderr(), "{NAME}: {}", line.trim_start_matches("error: ")).ok();
            ExitCode::from(2)
        })
    }

    /// Returns the source of the certificate; `None` if this node does not speak TLS.
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

    /// Returns the choice of the log's epoch.
    pub fn new_epoch(&self) -> NewEpoch {
        if self.new_epoch { NewEpoch::Begin } else { NewEpoch::Keep }
    }

    /// Returns the place of the database.
    pub fn database(&self) -> Result<Location, DbError> {
        match &self.database {
            Some(url) => Location::parse(url),
            None => Location::of_file(&self.data.join("duplex.db")),
        }
    }
}

/// Returns a hint about the first renamed flag or variable that is set.
fn renamed_setting(
    arguments: impl Iterator<Item = OsString>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Option<String> {
    let arguments: Vec<OsString> = arguments.take_while(|argument| argument != "--").collect();
    let variables: Vec<(OsString, OsString)> = variables.collect();
    RENAMED.iter().find_map(|(old, new)| {
        let flag = format!("--{old}");
        let is_flag = |argument: &OsString| {
            let text = argument.to_string_lossy();
            text.split_once('=').map_or(text.as_ref(), |(name, _)| name) == flag
        };
        if arguments.iter().any(is_flag) {
            return Some(format!("{flag} is now --{new}{}", remark(old, "--log-filter")));
        }
        let variable = variable(old);
        let is_set = |(name, value): &(OsString, OsString)| {
            *name == *variable && !value.to_string_lossy().trim().is_empty()
        };
        let hint = || {
            let remark = remark(old, &self::variable("log-filter"));
            format!("{variable} is now {}{remark}", self::variable(new))
        };
        variables.iter().any(is_set).then(hint)
    })
}

/// Adds a remark to the name that somebody may have taken for another setting.
fn remark(old: &str, filter: &str) -> String {
    if old == "log" { format!("; the filter of log lines is {filter}") } else { String::new() }
}

fn variable(flag: &str) -> String {
    format!("{PREFIX}{}", flag.replace('-', "_").to_uppercase())
}

/// Reads a network or a single address. An IPv6 network of mapped IPv4 addresses becomes the IPv4 one.
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

/// Prints every setting that has a variable, in the order of the help. Settings without a value are comments.
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

/// Hides the user name and the password that a URL may contain.
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let host_ends = rest.find('/').unwrap_or(rest.len());
    match rest[..host_ends].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => value.to_owned(),
    }
}

/// Reads an origin as browsers send it: scheme, host and port.
fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text.trim())
        .ok_or_else(|| "must be http:// or https:// and a host, such as https://example.org".into())
}

/// Reads an origin that may end in a slash.
fn public_url(text: &str) -> Result<Origin, String> {
    let text = text.trim();
    Origin::parse(text.strip_suffix('/').unwrap_or(text)).ok_or_else(|| {
        "must be http:// or https:// and a host, with a port unless it is the default, and nothing else, such as \
         https://app.example.org"
            .into()
    })
}

/// Ignores variables that are empty: compose files and charts write `${X:-}`.
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

/// Returns the variables with our prefix that are not settings, such as misspelled ones.
pub fn unknown_variables() -> Vec<String> {
    let command = Config::command();
    let known: BTreeSet<&OsStr> = command.get_arguments().filter_map(clap::Arg::get_env).collect();
    let set = env::vars_os().map(|(name, _)| name).filter(|name| !known.contains(name.as_os_str()));
    set.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(PREFIX)).collect()
}
