//! Traces for an OpenTelemetry collector, by OTLP over HTTP; only in a build with the feature `otel`.
//!
//! Each request and each frame of a session is a span, with what was logged in it. They are sent in batches from a
//! thread of their own: a collector that is slow or away delays nobody, and costs the traces that do not fit.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// By which a collector knows us.
const SERVICE: &str = "duplex";
/// Where a collector takes traces (OTLP 1, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";
const NO_ENDPOINT: &str = "--otlp-endpoint: must be http:// or https:// and a host";

/// See the module. Dropping it sends what waits.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Traces to the collector at that address, which need not be there yet.
    pub fn open(endpoint: &str) -> Result<Traces, String> {
        let exporter = exporter(endpoint)?;
        let resource = Resource::builder().with_service_name(SERVICE).build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
        Ok(Traces(provider))
    }

    /// What hands our own spans over. Those of libraries are left out, the exporter's among them, which would
    /// otherwise beget more of themselves.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE)).with_filter(
            Targets::new().with_target("server", Level::DEBUG).with_target("realtime", Level::DEBUG),
        )
    }
}

/// What sends them to that address. Fails when it is none, and does not repeat it: it may hold a password.
pub fn exporter(endpoint: &str) -> Result<SpanExporter, String> {
    let host = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    if host.is_none_or(|host| host.is_empty() || host.starts_with(['/', '?'])) {
        return Err(NO_ENDPOINT.into());
    }
    SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| match error {
            ExporterBuildError::InvalidConfiguration(_) => NO_ENDPOINT.into(),
            error => format!("--otlp-endpoint: {error}"),
        })
}

/// See [`crate::telemetry::follow`].
pub fn follow<'a>(span: &Span, header: impl Fn(&str) -> Option<&'a str>) {
    let propagator = TraceContextPropagator::new();
    let given = propagator.fields().filter_map(|name| Some((name.to_owned(), header(name)?.to_owned())));
    let caller = propagator.extract(&given.collect::<HashMap<_, _>>());
    // It fails where nothing is traced.
    span.set_parent(caller).ok();
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}
