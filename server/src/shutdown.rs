//! When to stop: Ctrl-C, or SIGTERM or SIGHUP from whoever runs the process. A second time means at once.

use std::io;
use std::process::exit;

/// The exit code of a process that did not finish what it had begun.
const AT_ONCE: i32 = 1;

/// Watches for the signals from now on; what it returns is ready once the process was asked to stop. Whoever is told
/// that the node listens may stop it at once, so this comes first. Who asks again waits for nothing more.
#[cfg(unix)]
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    use futures_util::StreamExt;
    use futures_util::stream::{poll_fn, select_all};
    use tokio::signal::unix::{SignalKind, signal};
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    // Under nohup the terminal's end is none of ours.
    kinds.extend((!ignores_hang_up()).then(SignalKind::hangup));
    let signals: Vec<_> = kinds.into_iter().map(signal).collect::<io::Result<_>>()?;
    let streams = signals.into_iter().map(|mut signal| poll_fn(move |context| signal.poll_recv(context)));
    let mut any = select_all(streams);
    Ok(async move {
        any.next().await;
        tokio::spawn(async move {
            any.next().await;
            tracing::warn!("asked to stop once more; stopping at once");
            exit(AT_ONCE);
        });
    })
}

/// True if the process was started with SIGHUP ignored, as by `nohup` (proc(5): `SigIgn`, a mask in hexadecimal).
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Ready once Ctrl-C was pressed.
#[cfg(not(unix))]
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        tokio::signal::ctrl_c().await.ok();
        tokio::spawn(async {
            tokio::signal::ctrl_c().await.ok();
            exit(AT_ONCE);
        });
    })
}
