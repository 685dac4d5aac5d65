//! The node as a library: everything but its features, which belong to the program.
//!
//! `main → features → http → accounts, realtime → shared`; nothing imports what stands to its left. `cli` carries out the
//! command line, and `app` alone wires the parts together. `storage` and `bus` are adapters: they implement the traits of
//! `realtime` and `accounts`, and only what starts the node names them. `net` knows no route.

mod cli;
pub use cli::run;
mod app;
mod check_config;
mod config;
pub mod limits;
mod preflight;

pub mod accounts;
pub mod bus;
pub mod http;
pub mod net;
pub mod storage;

pub mod memory;
mod random;
mod shutdown;
mod steady_clock;
pub mod telemetry;

mod doctor;
mod healthcheck;

/// jemalloc, which gives memory back to the system once a crowd has left; the default allocator seldom does.
#[cfg(all(feature = "jemalloc", unix))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
