//! What must hold before a node starts: the data folder is its own, TLS is there where it must be, and the
//! addresses are free. Where it does not, one line says what to change.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::config::{Config, TlsKind};
use crate::http::{Common, Listener, Pages, Transport};
use crate::store::{InPlace, told};
use crate::tls::{self, Tls};

/// Why a node does not start. One line, which names what to change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// The lock of a data folder, for as long as the process may write to it.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
    place: InPlace,
}

impl DataLock {
    /// Fails with one line when the file is gone: then another process could take the folder.
    pub fn check(&self) -> Result<(), String> {
        self.place.check()
    }
}

/// Two processes on one folder would number events twice.
pub fn lock(data: &Path) -> Result<DataLock, StartError> {
    let path = data.join("lock");
    let cannot = |error: io::Error| StartError(format!("--data {}: {}", data.display(), told(data, &error)));
    fs::create_dir_all(data).map_err(cannot)?;
    let file = File::create(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(DataLock { _file: file, place: InPlace::of(&path) }),
        Err(fs::TryLockError::WouldBlock) => Err(StartError(format!(
            "--data {}: another process uses this folder; stop it, or choose another folder",
            data.display()
        ))),
        Err(fs::TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// Sets the umask so that only this user reads the files that the process makes: events, sign-ins, keys, backups.
pub fn keep_to_ourselves() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// macOS gives no more, whatever limit it tells.
#[cfg(target_os = "macos")]
const OPEN_FILES_MAX: u64 = 10_240;

/// Each connection is an open file, and most systems let a process have a thousand unless it asks for more.
pub fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum;
        #[cfg(target_os = "macos")]
        let wanted = Some(maximum.map_or(OPEN_FILES_MAX, |most| most.min(OPEN_FILES_MAX)));
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum }) {
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
    let has_tls = config.tls_source().is_some() || config.tls.is_some();
    if let Some(public) = config.public_url.as_ref().filter(|public| has_tls && !public.is_secure()) {
        return Err(StartError(format!(
            "--public-url {public}: a node with TLS is reached by https://, and its cookies go nowhere else"
        )));
    }
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
pub fn bind(flag: &str, address: SocketAddr, common: &Common) -> Result<Listener, StartError> {
    Listener::bind(address, common.clone()).map_err(|error| {
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
