//! Ctrl-C, SIGTERM, SIGQUIT and a terminal that is closed become one flag, which every wait looks at.

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGQUIT};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From here on a signal sets the flag and no longer ends us on the spot.
pub(crate) fn listen() {
    listen_for(SIGINT);
    listen_for(SIGTERM);
    #[cfg(unix)]
    listen_for(SIGQUIT);
    // `nohup` has it ignored, so that we outlive the terminal.
    #[cfg(unix)]
    if !is_ignored(SIGHUP, &std::fs::read_to_string("/proc/self/status").unwrap_or_default()) {
        listen_for(SIGHUP);
    }
}

fn listen_for(signal: i32) {
    if let Err(error) = signal_hook::flag::register(signal, REQUESTED.clone()) {
        crate::console::note(&format!("cannot listen for signal {signal}: {error}"));
    }
}

/// True where a process ignores this signal, by its status as Linux tells it (proc(5), `SigIgn`); false without one.
#[cfg(unix)]
fn is_ignored(signal: i32, status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Asks ourselves to stop, as a signal would: everything that waits ends what it waits for.
pub(crate) fn request() {
    REQUESTED.store(true, Ordering::Relaxed);
}

/// True once we were asked to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::process;

    #[test]
    fn a_hang_up_that_nohup_ignores_is_seen() {
        let mut shell = process::command("sh", "");
        let status = process::capture(shell.args(["-c", "trap '' HUP; cat /proc/self/status"])).unwrap();
        assert!(is_ignored(SIGHUP, &status));
        assert!(!is_ignored(SIGHUP, "SigIgn:\t0000000000000004\n") && !is_ignored(SIGHUP, ""));
    }
}
