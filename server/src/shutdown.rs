//! When to stop: Ctrl-C, or SIGTERM from whoever runs the process.

/// Watches for the signals from now on; what it returns is ready once the process was asked to stop. Whoever is told
/// that the node listens may stop it at once, so this comes first.
#[cfg(unix)]
pub fn requested() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready once Ctrl-C was pressed.
#[cfg(not(unix))]
pub fn requested() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        tokio::signal::ctrl_c().await.ok();
    })
}
