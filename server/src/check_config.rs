//! `--check-config`: tells if a node could start with these settings, even while one runs. It starts nothing, and leaves
//! nothing behind.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::config::Config;
use crate::memory::Memory;
use crate::net::tls::{self, Tls};
use crate::preflight::{StartError, certificate, client_files, refused};
use crate::random::random_text;
use crate::storage::describe;
use crate::{bus, telemetry};

const NAME_CHARS: usize = 8;

/// Reads everything that a start would read. Fails at the first problem.
pub async fn check(config: &Config) -> Result<(), StartError> {
    let memory = Memory::new(config.limits.memory_max);
    config.limits.check(memory.max()).map_err(|(flag, why)| refused(flag)(why))?;
    telemetry::read_filter(&config.log_filter).map_err(StartError)?;
    telemetry::read_endpoint(config.otlp_endpoint.as_deref()).map_err(StartError)?;
    // A certificate that the node makes itself is made at the start.
    if let Some(source @ tls::Source::Files { .. }) = certificate(config)? {
        Tls::open(&source).map_err(|error| StartError(error.to_string()))?;
    }
    client_files(config)?;
    let data = &config.data;
    check_writable(data)
        .map_err(|error| StartError(format!("--data {}: {}", data.display(), describe(data, &error))))?;
    let database = config.database().map_err(refused("--database"))?;
    database.check(config.new_epoch()).await.map_err(refused("--database"))?;
    let file = database.file();
    check_file(file)
        .map_err(|error| format!("{}: {error}", file.display()))
        .map_err(refused("--database"))?;
    bus::open(&config.bus).map_err(refused("--bus"))?;
    Ok(())
}

/// Fails if the file cannot be written, or its folder takes no files.
fn check_file(file: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => check_writable(file.parent().unwrap_or(Path::new(""))),
    }
}

/// Fails if no file can be made in that folder, or in the first one above it that exists.
fn check_writable(folder: &Path) -> io::Result<()> {
    if folder.is_symlink() && !folder.exists() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let existing = folder.ancestors().find(|folder| folder.exists() && !folder.as_os_str().is_empty());
    let trial = existing.unwrap_or(Path::new(".")).join(format!(".duplex-check-{}", random_text(NAME_CHARS)));
    OpenOptions::new().write(true).create_new(true).open(&trial)?;
    fs::remove_file(trial)
}
