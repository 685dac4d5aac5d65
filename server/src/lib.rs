//! The node: one process that keeps the log, answers pulls and pushes events. The modules, in reading order:
//!
//! `main → features → http → realtime → shared`; nothing imports what stands to its left. The first two are the
//! program's, and use this library. `program` does what the
//! command line asks for, and `app` alone wires the parts together. `config`, `limits`, `telemetry`, `shutdown`,
//! `store`, `tls`, `people` and `authority` are leaves.

pub mod app;
/// jemalloc, which gives memory back to the system once a crowd has left; the default allocator seldom does.
#[cfg(all(feature = "jemalloc", unix))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod authority;
mod check;
mod config;
mod detached;
mod doctor;
pub mod limits;
pub mod memory;

pub mod http;
pub mod realtime;

#[cfg(feature = "otel")]
mod otel;
pub mod people;
mod program;
mod random;
mod shutdown;
mod sqlite;
mod start;
mod steady;
pub mod store;
mod telemetry;
mod tls;

pub use program::run;
