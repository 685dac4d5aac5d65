//! Who may name whom: the tables that the tests beside this file hold the source to.

/// What a part may name of the same crate; each also names itself and `shared`.
pub type Rules = [(&'static str, &'static [&'static str])];

/// `main → features → http → realtime → shared`, `main → program → app`; `app` wires, and names no feature.
pub const SERVER: &Rules = &[
    ("main", &["features"]),
    ("lib", &["program"]),
    (
        "program",
        &[
            "app",
            "authority",
            "check",
            "config",
            "doctor",
            "http",
            "realtime",
            "shutdown",
            "start",
            "telemetry",
        ],
    ),
    ("check", &["config", "http", "memory", "random", "realtime", "start", "store", "telemetry", "tls"]),
    ("doctor", &["authority", "http"]),
    (
        "app",
        &[
            "config", "http", "limits", "memory", "people", "random", "realtime", "start", "steady", "store",
            "tls",
        ],
    ),
    ("start", &["config", "http", "store", "tls"]),
    ("features", &["http", "realtime"]),
    ("http", &["realtime", "people", "authority", "detached", "limits", "memory", "random", "telemetry"]),
    ("realtime", &["detached", "limits", "random", "sqlite", "store"]),
    ("people", &["random", "sqlite", "store"]),
    ("config", &["authority", "doctor", "limits", "store", "telemetry", "tls"]),
    ("authority", &[]),
    ("limits", &[]),
    ("memory", &[]),
    ("detached", &[]),
    ("random", &[]),
    ("shutdown", &[]),
    ("steady", &[]),
    ("sqlite", &["random"]),
    ("store", &["sqlite"]),
    ("telemetry", &["otel"]),
    ("otel", &[]),
    ("tls", &[]),
];

/// Each part of the core names only what stands to its right.
pub const REALTIME: &[&str] = &[
    "session",
    "tasks",
    "census",
    "watch",
    "node",
    "publisher",
    "hub",
    "watched",
    "presence",
    "sessions",
    "tail",
    "access",
    "error",
    "writable",
    "bus",
    "log",
    "figures",
    "outbox",
    "queue",
];

/// The same of the client.
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

/// Crates that only these parts name: `(crate, paths that may)`.
pub const CRATES: &[(&str, &[&str])] = &[
    ("axum", &["server/src/http/", "server/src/doctor/", "server/src/features/", "server/src/app.rs"]),
    ("axum_extra", &["server/src/http/"]),
    ("hyper", &["server/src/http/", "server/src/doctor/"]),
    ("tower_http", &["server/src/http/"]),
    ("tokio_tungstenite", &["server/src/http/", "server/src/doctor/"]),
    ("clap", &["server/src/config.rs", "server/src/limits.rs", "server/src/telemetry.rs"]),
    ("sqlx", &["server/src/realtime/log/", "server/src/people/", "server/src/sqlite/"]),
    ("instant_acme", &["server/src/tls/"]),
    ("async_nats", &["server/src/realtime/bus/"]),
    ("opentelemetry", &["server/src/otel.rs"]),
    ("opentelemetry_otlp", &["server/src/otel.rs"]),
    ("opentelemetry_sdk", &["server/src/otel.rs"]),
    (
        "prometheus_client",
        &[
            "server/src/app.rs",
            "server/src/http/metrics.rs",
            "server/src/realtime/census.rs",
            "server/src/realtime/figures.rs",
        ],
    ),
];
