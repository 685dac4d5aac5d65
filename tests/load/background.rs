//! Work that other machines would do in production. It must not take processor time from the measured node.

use std::process::Command;

use rustix::thread::gettid;
use tokio::runtime::{Builder, Runtime};

/// Creates a runtime with one thread, which runs only while no other thread wants to.
pub fn idle_runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(1)
        .on_thread_start(make_idle)
        .enable_all()
        .build()
        .expect("a thread can be started")
}

/// Gives the current thread the scheduling policy `SCHED_IDLE`. A thread that is only nice keeps its processor to the
/// end of its slice, for milliseconds.
fn make_idle() {
    let thread = gettid().as_raw_nonzero().to_string();
    let done = Command::new("chrt").args(["--idle", "--pid", "0", &thread]).status();
    assert!(done.is_ok_and(|status| status.success()), "chrt of util-linux sets the scheduling policy");
}
