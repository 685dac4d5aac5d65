//! What must hold before a node starts: the data folder is its own, TLS is there where it must be, and the
//! addresses are free. Where it does not, one line says what to change.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::config::{Config, TlsKind};
use crate::http::{Listener, Meters, Pages, Proxies, Tally, Transport};
use crate::tls::{self, Tls};

/// Why a node does not start. One line, which names what to change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// Two processes on one folder would number events twice.
pub fn lock(data: &Path) -> Result<File, StartError> {
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

/// Each connection is an open file, and most systems let a process have a thousand unless it asks for more.
pub fn raise_open_files() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            tracing::warn!(%error, ?current, ?maximum, "the number of open files stays as it is");
        }
    }
}

/// What is encrypted, and with what.
pub fn encryption(config: &Config) -> Result<(Option<Tls>, Transport), StartError> {
    let Some(source) = certificate(config)? else {
        let transport = if config.tls == Some(TlsKind::Proxy) { Transport::Tls } else { Transport::Plain };
        return Ok((None, transport));
    };
    let tls = Tls::open(&source).map_err(|error| StartError(error.to_string()))?;
    let transport = match source {
        tls::Source::SelfSigned(_) => Transport::LocalTls,
        tls::Source::Files { .. } | tls::Source::Acme(_) => Transport::Tls,
    };
    Ok((Some(tls), transport))
}

/// Where the certificate comes from. An address that other machines can reach is not served without one by
/// oversight.
pub fn certificate(config: &Config) -> Result<Option<tls::Source>, StartError> {
    let listen = config.listen;
    match (config.tls_source(), config) {
        (None, Config { redirect_from: Some(from), .. }) => Err(StartError(format!(
            "--redirect-from {from}: there is no TLS to send anybody to; give --tls-cert and --tls-key too"
        ))),
        (None, Config { insecure_http: false, tls: None, .. }) if !listen.ip().is_loopback() => {
            Err(StartError(format!(
                "--listen {listen}: other machines can reach this address, and nothing would be encrypted; give \
             --tls-cert and --tls-key, or --tls proxy where a proxy in front speaks TLS, or --insecure-http"
            )))
        }
        (source, _) => Ok(source),
    }
}

/// The client that is served.
pub fn pages(config: &Config) -> Result<Pages, StartError> {
    let Some(folder) = &config.pages else { return Ok(Pages::built_in()) };
    Pages::from_folder(folder).map_err(|error| StartError(format!("--pages {}: {error}", folder.display())))
}

/// Takes an address.
pub fn bind(
    flag: &str,
    address: SocketAddr,
    tally: &Tally,
    proxies: &Proxies,
    meters: &Meters,
) -> Result<Listener, StartError> {
    Listener::bind(address, tally.clone(), proxies.clone(), meters.clone()).map_err(|error| {
        StartError(if error.kind() == io::ErrorKind::AddrInUse {
            format!("{flag} {address}: the port is in use; stop what uses it, or choose another port")
        } else {
            format!("{flag} {address}: {error}")
        })
    })
}

/// An error of the part that `flag` configures.
pub fn refused<E: std::fmt::Display>(flag: &'static str) -> impl Fn(E) -> StartError {
    move |error| StartError(format!("{flag}: {error}"))
}
