//! What is done in earnest on other machines, and must not take this one's processors from whoever is measured.

use std::process::Command;

use rustix::thread::gettid;
use tokio::runtime::{Builder, Runtime};

/// One thread, which runs only while no other wants to.
pub fn stepping_back() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).on_thread_start(step_back).enable_all().build().expect("it is only a thread")
}

/// A thread that is merely nice keeps its processor to the end of a slice, for milliseconds; an idle one does not.
fn step_back() {
    let thread = gettid().as_raw_nonzero().to_string();
    let done = Command::new("chrt").args(["--idle", "--pid", "0", &thread]).status();
    assert!(done.is_ok_and(|status| status.success()), "chrt of util-linux makes the load step back");
}
