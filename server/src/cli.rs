//! The command line: carries out its task, or says in one line why it cannot.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::app::App;
use crate::config::{self, Command, Config, NAME, Task};
use crate::doctor::{self, TimeBudget};
use crate::http::Feature;
use crate::net::authority::Origin;
use crate::preflight::{StartError, lock, raise_open_files, refused, restrict_new_files};
use crate::{check_config, healthcheck, shutdown, storage, telemetry};

/// Runs the whole program: reads flags and environment, and serves these features until a signal to stop, or carries out
/// another command.
pub fn run(features: Vec<Feature>) -> ExitCode {
    let (task, config) = match Config::read() {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    restrict_new_files();
    let done = Runtime::new()
        .map_err(|error| StartError(format!("the runtime cannot start: {error}")))
        .and_then(|runtime| {
            runtime.block_on(async {
                match task {
                    Task::Serve => serve(config, features).await,
                    Task::Check => {
                        report_unknown_variables(|line| _ = writeln!(io::stderr(), "{NAME}: {line}"));
                        check_config::check(&config).await.map(|()| say("ok"))
                    }
                    Task::Print(settings) => {
                        say(settings.trim_end());
                        Ok(())
                    }
                    Task::Run(command) => run_command(&config, command).await,
                }
            })
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(StartError(line)) => {
            // Standard error may be a file on a full disk.
            writeln!(io::stderr(), "{NAME}: {line}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn run_command(config: &Config, command: Command) -> Result<(), StartError> {
    match command {
        Command::Backup { file } => backup(config, &file).await,
        Command::Restore { file } => restore(config, &file).await,
        Command::Verify { file } => verify(&file).await,
        Command::Doctor { url, root, patient } => {
            let budget = if patient { TimeBudget::Long } else { TimeBudget::Short };
            examine(&url, root.as_deref(), budget).await
        }
        Command::Healthcheck => healthcheck::check(config.listen, config.tls_source().is_some())
            .await
            .map(|()| say("ready"))
            .map_err(|reason| StartError(format!("not ready: {reason}"))),
    }
}

async fn serve(config: Config, features: Vec<Feature>) -> Result<(), StartError> {
    let endpoint = config.otlp_endpoint.as_deref();
    let _telemetry = telemetry::start(&config.log_filter, config.log_format, endpoint).map_err(StartError)?;
    raise_open_files();
    report_unknown_variables(|line| tracing::warn!("{line}"));
    let app = App::build(config, features).await?;
    let stop =
        shutdown::requested().map_err(|error| StartError(format!("signals cannot be watched: {error}")))?;
    say(&format!("listening on {}", app.url()));
    app.serve(stop).await;
    Ok(())
}

/// Reports misspelled variables, one line each.
fn report_unknown_variables(report: impl Fn(String)) {
    for name in config::unknown_variables() {
        report(format!("{name} is set, but is not a setting of this program; --print-config lists them all"));
    }
}

/// Copies the database. It needs no lock on the data folder: the node that holds it goes on.
async fn backup(config: &Config, file: &Path) -> Result<(), StartError> {
    let database = config.database().map_err(refused("--database"))?;
    let (summary, bytes) = storage::backup(&database, file)
        .await
        .map_err(|error| StartError(format!("backup {}: {error}", file.display())))?;
    say(&format!("{}: {summary}; {bytes} bytes", file.display()));
    Ok(())
}

/// Restores a backup under the locks of a node, so that neither a node nor another restore runs meanwhile.
async fn restore(config: &Config, file: &Path) -> Result<(), StartError> {
    let _folder = lock(&config.data)?;
    let database = config.database().map_err(refused("--database"))?;
    let _lock = database.lock().map_err(refused("--database"))?;
    let restored = storage::restore(file, &database)
        .await
        .map_err(|error| StartError(format!("restore {}: {error}", file.display())))?;
    say(&format!("{}: {}", database.file().display(), restored.summary));
    if let Some(before) = restored.before {
        say(&format!("the old database is {}; remove it when you no longer need it", before.display()));
    }
    Ok(())
}

async fn verify(file: &Path) -> Result<(), StartError> {
    let summary = storage::verify(file)
        .await
        .map_err(|error| StartError(format!("verify {}: {error}", file.display())))?;
    say(&format!("{}: {summary}; ok", file.display()));
    Ok(())
}

async fn examine(url: &Origin, root: Option<&Path>, budget: TimeBudget) -> Result<(), StartError> {
    say("examining; this takes half a minute to a minute");
    let report = doctor::examine(url, root, budget)
        .await
        .map_err(|reason| StartError(format!("doctor {url}: {reason}")))?;
    say(&report.to_string());
    if report.has_problems() {
        return Err(StartError(format!("doctor {url}: see above")));
    }
    Ok(())
}

fn say(text: &str) {
    // Standard output may be closed.
    writeln!(io::stdout(), "{text}").ok();
}
