//! Telemetry: log lines on standard error, as text or as one JSON object each; metrics; and traces, if they are built in
//! and asked for.

pub mod edge_metrics;
#[cfg(feature = "otel")]
mod otel;

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing::Span;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

/// The format of log lines.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Running telemetry. Dropping it sends the traces that wait.
pub struct Telemetry {
    #[cfg(feature = "otel")]
    _traces: Option<otel::Traces>,
}

/// Starts logging. Fails if `filter` or `otlp_endpoint` cannot be read. Called twice in one process, the first call stands.
#[cfg_attr(not(feature = "otel"), expect(unused_variables, reason = "there are no traces in this build"))]
pub fn start(filter: &str, format: LogFormat, otlp_endpoint: Option<&str>) -> Result<Telemetry, String> {
    let lines = fmt::layer().with_ansi(stderr().is_terminal()).with_writer(stderr);
    let lines = match format {
        LogFormat::Text => lines.compact().boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let subscriber = registry().with(read_filter(filter)?).with(lines);
    #[cfg(feature = "otel")]
    let traces = otlp_endpoint.map(otel::Traces::open).transpose()?;
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(traces.as_ref().map(|traces| traces.layer()));
    if subscriber.try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(Telemetry {
        #[cfg(feature = "otel")]
        _traces: traces,
    })
}

/// Makes `span` a part of its caller's trace, if the request's headers name one (W3C Trace Context) and traces are built in.
#[cfg_attr(not(feature = "otel"), expect(unused_variables, reason = "there are no traces in this build"))]
pub fn follow<'a>(span: &Span, header: impl Fn(&str) -> Option<&'a str>) {
    #[cfg(feature = "otel")]
    otel::follow(span, header);
}

/// Reads the filter of log lines.
pub fn read_filter(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(filter).map_err(|error| format!("--log-filter: {error}"))
}

/// Checks the collector's address, if traces are built in.
#[cfg_attr(not(feature = "otel"), expect(unused_variables, reason = "there are no traces in this build"))]
pub fn read_endpoint(endpoint: Option<&str>) -> Result<(), String> {
    #[cfg(feature = "otel")]
    endpoint.map(otel::exporter).transpose()?;
    Ok(())
}
