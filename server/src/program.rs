//! The program: does what its command line asks for, and says in one line why when it cannot.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::app::App;
use crate::config::{Config, NAME, Task};
use crate::http::Feature;
use crate::start::{StartError, raise_open_files};
use crate::{check, realtime, shutdown, telemetry};

/// The whole program: reads flags and environment, and serves these features until it is told to stop, or does
/// the one thing that was asked for instead.
pub fn run(features: Vec<Feature>) -> ExitCode {
    let (task, config) = match Config::read() {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    let done = Runtime::new()
        .map_err(|error| StartError(format!("the runtime cannot start: {error}")))
        .and_then(|runtime| {
            runtime.block_on(async {
                match task {
                    Task::Serve => serve(config, features).await,
                    Task::Check => check::check(&config).await.map(|()| say("ok")),
                    Task::Print(settings) => {
                        say(settings.trim_end());
                        Ok(())
                    }
                    Task::Backup(file) => backup(&config, &file).await,
                }
            })
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(StartError(line)) => {
            eprintln!("{NAME}: {line}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config, features: Vec<Feature>) -> Result<(), StartError> {
    let endpoint = config.otlp_endpoint.as_deref();
    let _telemetry = telemetry::start(&config.log_filter, config.log_format, endpoint).map_err(StartError)?;
    raise_open_files();
    let app = App::build(config, features).await?;
    let stop =
        shutdown::requested().map_err(|error| StartError(format!("signals cannot be watched: {error}")))?;
    say(&format!("listening on {}", app.url()));
    app.serve(stop).await;
    Ok(())
}

/// Needs no lock on the data folder: the node that holds it goes on.
async fn backup(config: &Config, file: &Path) -> Result<(), StartError> {
    let copied = realtime::log::copy(&config.log_url(), file)
        .await
        .map_err(|error| StartError(format!("backup {}: {error}", file.display())))?;
    say(&format!("{}: {} events, {} bytes", file.display(), copied.events, copied.bytes));
    Ok(())
}

fn say(text: &str) {
    // Nobody may be there to read it.
    writeln!(io::stdout(), "{text}").ok();
}
