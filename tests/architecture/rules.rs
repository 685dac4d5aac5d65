//! The rules that crates cannot express: who may name whom inside the server and the client.

/// The parts that a part may name of the same crate. Each part may also name itself.
pub type Rules = [(&'static str, &'static [&'static str])];

/// The parts of the server. A part is a file or a folder below `src`, and each folder of `http`.
pub const SERVER: &Rules = &[
    ("main", &["features"]),
    ("lib", &["cli"]),
    ("features", &["http"]),
    (
        "cli",
        &[
            "app",
            "check_config",
            "config",
            "doctor",
            "healthcheck",
            "http",
            "net",
            "preflight",
            "shutdown",
            "storage",
            "telemetry",
        ],
    ),
    ("check_config", &["bus", "config", "memory", "net", "preflight", "random", "storage", "telemetry"]),
    (
        "app",
        &[
            "accounts",
            "bus",
            "config",
            "http",
            "http/api",
            "http/guard",
            "limits",
            "memory",
            "net",
            "preflight",
            "random",
            "steady_clock",
            "storage",
            "telemetry",
        ],
    ),
    ("preflight", &["config", "http", "net", "storage"]),
    ("config", &["limits", "net", "storage", "telemetry"]),
    ("doctor", &["http/api", "net"]),
    ("http", &["http/api", "http/guard", "accounts", "limits", "memory", "net", "random", "telemetry"]),
    ("http/api", &["http", "http/guard", "accounts", "limits", "memory", "net", "random", "telemetry"]),
    ("http/guard", &["http", "limits", "memory", "net", "telemetry"]),
    ("net", &["http/guard", "memory", "telemetry"]),
    ("storage", &["accounts", "random"]),
    ("accounts", &[]),
    ("bus", &[]),
    ("healthcheck", &[]),
    ("limits", &[]),
    ("memory", &[]),
    ("random", &[]),
    ("shutdown", &[]),
    ("steady_clock", &[]),
    ("telemetry", &[]),
];

/// The parts of the client.
pub const CLIENT: &Rules = &[
    ("main", &["app"]),
    ("lib", &["app"]),
    ("app", &["features", "account", "realtime", "ui", "http", "address", "browser"]),
    ("features", &["account", "realtime", "ui", "http", "address", "browser"]),
    ("account", &["realtime", "ui", "http", "browser"]),
    ("realtime", &["http", "browser"]),
    ("ui", &["realtime", "browser"]),
    ("http", &["browser"]),
    ("address", &["browser"]),
    ("browser", &[]),
];

/// Crates that only these files may name.
pub const CRATES: &[(&str, &[&str])] = &[
    (
        "axum",
        &[
            "server/src/http/",
            "server/src/net/",
            "server/src/telemetry/",
            "server/src/doctor/",
            "server/src/features/",
            "server/src/app.rs",
            "server/src/healthcheck.rs",
        ],
    ),
    ("axum_extra", &["server/src/http/"]),
    (
        "hyper",
        &["server/src/http/guard/", "server/src/net/", "server/src/doctor/", "server/src/healthcheck.rs"],
    ),
    ("tower_http", &["server/src/http/"]),
    ("tokio_tungstenite", &["server/src/http/api/", "server/src/doctor/"]),
    ("clap", &["server/src/config.rs", "server/src/limits.rs", "server/src/telemetry/"]),
    ("sqlx", &["server/src/storage/"]),
    ("instant_acme", &["server/src/net/tls/"]),
    ("opentelemetry", &["server/src/telemetry/otel.rs"]),
    ("opentelemetry_otlp", &["server/src/telemetry/otel.rs"]),
    ("opentelemetry_sdk", &["server/src/telemetry/otel.rs"]),
    (
        "prometheus_client",
        &["server/src/app.rs", "server/src/http/api/metrics.rs", "server/src/telemetry/edge_metrics.rs"],
    ),
];
