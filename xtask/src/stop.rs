//! Ctrl-C, SIGTERM and a terminal that is closed become one flag, which every wait looks at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGQUIT};
use signal_hook::consts::{SIGINT, SIGTERM};

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From here on a signal sets the flag and no longer ends us on the spot.
pub(crate) fn listen() {
    listen_for(SIGINT);
    listen_for(SIGTERM);
    #[cfg(unix)]
    listen_for(SIGQUIT);
    // `nohup` has it ignored, so that we outlive the terminal.
    #[cfg(unix)]
    if !is_ignored(SIGHUP) {
        listen_for(SIGHUP);
    }
}

fn listen_for(signal: i32) {
    if let Err(error) = signal_hook::flag::register(signal, ASKED.clone()) {
        crate::say::note(&format!("cannot listen for signal {signal}: {error}"));
    }
}

/// True when we were started with this signal ignored. Only Linux tells (proc(5), `SigIgn`); elsewhere it counts as not.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Asks ourselves to stop, as a signal would: everything that waits ends what it waits for.
pub(crate) fn ask() {
    ASKED.store(true, Ordering::Relaxed);
}

/// True once we were asked to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
