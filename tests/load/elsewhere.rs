//! What is done in earnest on other machines, and must not take this one's processors from whoever is measured.

use rustix::process::nice;
use tokio::runtime::{Builder, Runtime};

/// One thread, which steps back behind all others.
pub fn stepping_back() -> Runtime {
    let step_back = || _ = nice(19).expect("a thread may always step back");
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).on_thread_start(step_back).enable_all().build().expect("it is only a thread")
}
