//! `Traces`: sends traces to an OpenTelemetry collector, by OTLP over HTTP; only in a build with the feature `otel`.
//!
//! Each request and each frame of a session is a span, with the log events inside it. Spans are sent in batches from a
//! separate thread: a slow or absent collector delays nothing, and only spans that do not fit its queue are lost.

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

/// The service name that a collector shows.
const SERVICE: &str = "duplex";
/// The path at which a collector accepts traces (OTLP 1, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";
const NO_ENDPOINT: &str = "--otlp-endpoint: must be http:// or https:// followed by a host";

/// The connection to a collector. Dropping it sends the spans that still wait.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Prepares to send to the collector at that address. The collector need not be running yet.
    pub fn open(endpoint: &str) -> Result<Traces, String> {
        let exporter = exporter(endpoint)?;
        let resource = Resource::builder().with_service_name(SERVICE).build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
        Ok(Traces(provider))
    }

    /// Returns the layer that records the node's own spans. Those of libraries are left out: the exporter's would each
    /// cause further ones.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE)).with_filter(
            Targets::new().with_target("server", Level::DEBUG).with_target("realtime", Level::DEBUG),
        )
    }
}

/// Creates the exporter to that address. The error for an invalid address does not repeat it: it may contain a password.
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

/// Makes `span` a part of its caller's trace, if the request's headers name one (W3C Trace Context).
pub fn follow<'a>(span: &Span, header: impl Fn(&str) -> Option<&'a str>) {
    let propagator = TraceContextPropagator::new();
    let fields = propagator.fields().filter_map(|name| Some((name.to_owned(), header(name)?.to_owned())));
    let fields: HashMap<String, String> = fields.collect();
    // It fails only if this node records no traces.
    span.set_parent(propagator.extract(&fields)).ok();
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}
