//! `--check-config`: whether a node could start like this, also while one runs. It starts nothing, and leaves
//! nothing behind.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::config::Config;
use crate::memory::Memory;
use crate::random::random_text;
use crate::start::{StartError, certificate, pages, refused};
use crate::store::told;
use crate::tls::{self, Tls};
use crate::{realtime, telemetry};

const NAME_CHARS: usize = 8;

/// Reads everything that a start would read. The first thing that is wrong is the answer.
pub async fn check(config: &Config) -> Result<(), StartError> {
    let memory = Memory::new(config.limits.memory_max);
    config.limits.check(memory.max()).map_err(|(flag, why)| refused(flag)(why))?;
    telemetry::read_filter(&config.log_filter).map_err(StartError)?;
    telemetry::read_endpoint(config.otlp_endpoint.as_deref()).map_err(StartError)?;
    // One that is made is made at the start.
    if let Some(source @ tls::Source::Files { .. }) = certificate(config)? {
        Tls::open(&source).map_err(|error| StartError(error.to_string()))?;
    }
    pages(config)?;
    let data = &config.data;
    takes_files(data)
        .map_err(|error| StartError(format!("--data {}: {}", data.display(), told(data, &error))))?;
    let log = config.log().map_err(refused("--log"))?;
    let file = realtime::log::check(&log).await.map_err(refused("--log"))?;
    is_writable(&file).map_err(|error| format!("{}: {error}", file.display())).map_err(refused("--log"))?;
    realtime::open_bus(&config.bus).await.map_err(refused("--bus"))?;
    Ok(())
}

fn is_writable(file: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(file) {
        Ok(_) => takes_files(file.parent().unwrap_or(Path::new(""))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            takes_files(file.parent().unwrap_or(Path::new("")))
        }
        Err(error) => Err(error),
    }
}

/// Whether a file can be made in that folder, or in the first one above it that exists.
fn takes_files(folder: &Path) -> io::Result<()> {
    if folder.is_symlink() && !folder.exists() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let existing = folder.ancestors().find(|folder| folder.exists() && !folder.as_os_str().is_empty());
    let trial = existing.unwrap_or(Path::new(".")).join(format!(".duplex-check-{}", random_text(NAME_CHARS)));
    OpenOptions::new().write(true).create_new(true).open(&trial)?;
    fs::remove_file(trial)
}
