//! Stop request: Ctrl-C, SIGTERM, SIGQUIT and SIGHUP set one flag, which every wait loop checks.

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGQUIT};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Installs the signal handlers. From then on a signal sets the flag instead of ending the process.
pub(crate) fn listen() {
    listen_for(SIGINT);
    listen_for(SIGTERM);
    #[cfg(unix)]
    listen_for(SIGQUIT);
    // `nohup` sets SIGHUP to ignored so that the process outlives its terminal.
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

/// Returns true if a process with this `/proc/<pid>/status` (proc(5), `SigIgn`) ignores the signal.
#[cfg(unix)]
fn is_ignored(signal: i32, status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Requests a stop from within, exactly as a signal does.
pub(crate) fn request() {
    REQUESTED.store(true, Ordering::Relaxed);
}

/// Returns true once a stop has been requested.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn an_ignored_hang_up_is_detected() {
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", "trap '' HUP; cat /proc/self/status"]).output().unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        assert!(is_ignored(SIGHUP, &status));
        assert!(!is_ignored(SIGHUP, "SigIgn:\t0000000000000004\n") && !is_ignored(SIGHUP, ""));
    }
}
