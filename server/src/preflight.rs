//! The checks before a node starts: the data folder is its own, TLS is on where it must be, and the addresses are free. A
//! check that fails says in one line what to change.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::config::{Config, TlsKind};
use crate::http::ClientFiles;
use crate::net::tls::{self, Tls};
use crate::net::{Listener, ListenerDeps, Transport};
use crate::storage::{FileIdentity, describe};

/// The reason for which a node does not start. One line, which says what to change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// The lock of a data folder, for as long as the process may write to it.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
    identity: FileIdentity,
}

impl DataLock {
    /// Fails with one line if the file is gone: then another process could take the folder.
    pub fn check(&self) -> Result<(), String> {
        self.identity.check()
    }
}

/// Locks the data folder: two processes on one folder would number events twice.
pub fn lock(data: &Path) -> Result<DataLock, StartError> {
    let path = data.join("lock");
    let cannot =
        |error: io::Error| StartError(format!("--data {}: {}", data.display(), describe(data, &error)));
    fs::create_dir_all(data).map_err(cannot)?;
    let file = File::create(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(DataLock { _file: file, identity: FileIdentity::of(&path) }),
        Err(fs::TryLockError::WouldBlock) => Err(StartError(format!(
            "--data {}: another process uses this folder; stop it, or choose another folder",
            data.display()
        ))),
        Err(fs::TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// Sets the umask, so that only this user reads the files that the process makes: events, sign-ins, keys, backups.
pub fn restrict_new_files() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// macOS allows no more, whatever limit it reports.
#[cfg(target_os = "macos")]
const OPEN_FILES_MAX: u64 = 10_240;

/// Raises the limit of open files. Each connection is one, and most systems allow a thousand unless a process asks for more.
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

/// Opens the certificate, if there is one, and tells how connections are encrypted.
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

/// Returns the source of the certificate. An address that other machines can reach needs one, or a flag that says otherwise.
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

/// Reads the client that is served.
pub fn client_files(config: &Config) -> Result<ClientFiles, StartError> {
    let Some(folder) = &config.client_files else { return Ok(ClientFiles::built_in()) };
    ClientFiles::from_folder(folder)
        .map_err(|error| StartError(format!("--client-files {}: {error}", folder.display())))
}

/// Binds an address.
pub fn bind(flag: &str, address: SocketAddr, deps: &ListenerDeps) -> Result<Listener, StartError> {
    Listener::bind(address, deps.clone()).map_err(|error| {
        StartError(if error.kind() == io::ErrorKind::AddrInUse {
            format!("{flag} {address}: the port is in use; stop what uses it, or choose another port")
        } else {
            format!("{flag} {address}: {error}")
        })
    })
}

/// Makes the error of a setting.
pub fn refused<E: std::fmt::Display>(flag: &'static str) -> impl Fn(E) -> StartError {
    move |error| StartError(format!("{flag}: {error}"))
}
