//! The signals that stop the process: Ctrl-C, SIGTERM and SIGHUP. A second signal stops it at once.

use std::io;
use std::process::exit;

/// The exit code after a second signal, which leaves work unfinished.
const UNFINISHED: i32 = 1;

/// Catches the signals from now on, and returns a future that completes with the first one. A second one then ends the
/// process at once. Call it before anything announces the node, because a supervisor may stop a node that it can see.
#[cfg(unix)]
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    use futures_util::StreamExt;
    use futures_util::stream::{poll_fn, select_all};
    use tokio::signal::unix::{SignalKind, signal};
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    // Under nohup the process must outlive its terminal.
    if !ignores_hang_up() {
        kinds.push(SignalKind::hangup());
    }
    let signals: Vec<_> = kinds.into_iter().map(signal).collect::<io::Result<_>>()?;
    let streams = signals.into_iter().map(|mut signal| poll_fn(move |context| signal.poll_recv(context)));
    let mut any = select_all(streams);
    Ok(async move {
        any.next().await;
        tokio::spawn(async move {
            any.next().await;
            tracing::warn!("received a second signal to stop; stopping at once");
            exit(UNFINISHED);
        });
    })
}

/// True if the process was started with SIGHUP ignored, as by `nohup` (proc(5): `SigIgn`, a mask in hexadecimal).
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let digits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = digits.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// Catches Ctrl-C from now on, and returns a future that completes with the first one. A second one then ends the process
/// at once.
#[cfg(not(unix))]
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        tokio::signal::ctrl_c().await.ok();
        tokio::spawn(async {
            tokio::signal::ctrl_c().await.ok();
            exit(UNFINISHED);
        });
    })
}
