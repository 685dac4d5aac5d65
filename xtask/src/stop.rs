//! Ctrl-C, SIGTERM and a terminal that is closed become one flag, which every wait looks at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

#[cfg(unix)]
const SIGNALS: [i32; 4] = [
    signal_hook::consts::SIGINT,
    signal_hook::consts::SIGTERM,
    signal_hook::consts::SIGHUP,
    signal_hook::consts::SIGQUIT,
];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From here on a signal sets the flag and no longer ends us on the spot.
pub(crate) fn listen() {
    for signal in SIGNALS {
        if let Err(error) = signal_hook::flag::register(signal, ASKED.clone()) {
            crate::say::note(&format!("cannot listen for signal {signal}: {error}"));
        }
    }
}

/// Asks ourselves to stop, as a signal would: everything that waits ends what it waits for.
pub(crate) fn ask() {
    ASKED.store(true, Ordering::Relaxed);
}

/// Whether we were asked to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
