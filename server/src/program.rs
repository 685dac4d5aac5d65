//! The program: does what its command line asks for, and says in one line why when it cannot.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::app::App;
use crate::authority::Origin;
use crate::config::{Config, NAME, Task};
use crate::doctor::{self, Patience};
use crate::http::Feature;
use crate::start::{StartError, keep_to_ourselves, lock, raise_open_files, refused};
use crate::{check, config, http, realtime, shutdown, telemetry};

/// The whole program: reads flags and environment, and serves these features until it is told to stop, or does
/// the one thing that was asked for instead.
pub fn run(features: Vec<Feature>) -> ExitCode {
    let (task, config) = match Config::read() {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    keep_to_ourselves();
    let done = Runtime::new()
        .map_err(|error| StartError(format!("the runtime cannot start: {error}")))
        .and_then(|runtime| {
            runtime.block_on(async {
                match task {
                    Task::Serve => serve(config, features).await,
                    Task::Check => {
                        tell_unknown_variables(|line| _ = writeln!(io::stderr(), "{NAME}: {line}"));
                        check::check(&config).await.map(|()| say("ok"))
                    }
                    Task::Print(settings) => {
                        say(settings.trim_end());
                        Ok(())
                    }
                    Task::Backup(file) => backup(&config, &file).await,
                    Task::Restore(file) => restore(&config, &file).await,
                    Task::Verify(file) => verify(&file).await,
                    Task::Doctor(url, root, patience) => examine(&url, root.as_deref(), patience).await,
                    Task::Healthcheck => http::healthcheck(config.listen, config.tls_source().is_some())
                        .await
                        .map(|()| say("ready"))
                        .map_err(|reason| StartError(format!("not ready: {reason}"))),
                }
            })
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(StartError(line)) => {
            // Where it would be read the disk may be full.
            writeln!(io::stderr(), "{NAME}: {line}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config, features: Vec<Feature>) -> Result<(), StartError> {
    let endpoint = config.otlp_endpoint.as_deref();
    let _telemetry = telemetry::start(&config.log_filter, config.log_format, endpoint).map_err(StartError)?;
    raise_open_files();
    tell_unknown_variables(|line| tracing::warn!("{line}"));
    let app = App::build(config, features).await?;
    let stop =
        shutdown::requested().map_err(|error| StartError(format!("signals cannot be watched: {error}")))?;
    say(&format!("listening on {}", app.url()));
    app.serve(stop).await;
    Ok(())
}

/// Variables with a slip of the pen, by a line each.
fn tell_unknown_variables(tell: impl Fn(String)) {
    for name in config::unknown_variables() {
        tell(format!("{name} is set, and is no setting of this program; --print-config lists them all"));
    }
}

/// Needs no lock on the data folder: the node that holds it goes on.
async fn backup(config: &Config, file: &Path) -> Result<(), StartError> {
    let log = config.log().map_err(refused("--log"))?;
    let (holds, bytes) = realtime::log::copy(&log, file)
        .await
        .map_err(|error| StartError(format!("backup {}: {error}", file.display())))?;
    say(&format!("{}: {holds}; {bytes} bytes", file.display()));
    Ok(())
}

/// Holds the locks of a node: none can start meanwhile, and no second one of this kind.
async fn restore(config: &Config, file: &Path) -> Result<(), StartError> {
    let _folder = lock(&config.data)?;
    let log = config.log().map_err(refused("--log"))?;
    let _database = log.lock().map_err(refused("--log"))?;
    let restored = realtime::log::restore(file, &log)
        .await
        .map_err(|error| StartError(format!("restore {}: {error}", file.display())))?;
    say(&format!("{}: {}", log.file().display(), restored.holds));
    if let Some(before) = restored.before {
        say(&format!("what was there before is {}; remove it once you are content", before.display()));
    }
    Ok(())
}

async fn verify(file: &Path) -> Result<(), StartError> {
    let holds = realtime::log::verify(file)
        .await
        .map_err(|error| StartError(format!("verify {}: {error}", file.display())))?;
    say(&format!("{}: {holds}; ok", file.display()));
    Ok(())
}

async fn examine(url: &Origin, root: Option<&Path>, patience: Patience) -> Result<(), StartError> {
    say("looking; it takes half a minute, or a whole one");
    let report = doctor::examine(url, root, patience)
        .await
        .map_err(|reason| StartError(format!("doctor {url}: {reason}")))?;
    say(&report.to_string());
    if report.has_problems() {
        return Err(StartError(format!("doctor {url}: see above")));
    }
    Ok(())
}

fn say(text: &str) {
    // Nobody may be there to read it.
    writeln!(io::stdout(), "{text}").ok();
}
