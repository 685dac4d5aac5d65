//! The publisher: the one task of a node that appends and announces.
//!
//! It takes the drafts that wait, appends them as one batch, announces them in order, then answers. So commits are
//! shared, order is kept, and a caller that hangs up changes nothing, in one place for every log.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, Notice};
use crate::error::PublishError;
use crate::log::{AppendError, Appended, Draft, EventLog, Outcome};
use crate::metrics::CoreMetrics;
use crate::write_probe::WriteProbe;

/// Publishes that wait for the log. At 8 KiB each this is 32 MiB, and seconds of a disk's work.
const WAITING_MAX: usize = 4_096;
/// Drafts in one transaction: enough to share a sync to disk, few enough that nobody waits long.
const BATCH_MAX: usize = 256;

/// A draft, and the way to its caller.
pub struct Job {
    draft: Draft,
    answer: oneshot::Sender<Result<Appended, AppendError>>,
}

/// A handle of the publisher task.
pub struct Publisher {
    jobs: mpsc::Sender<Job>,
}

/// Creates the queue of drafts. The receiver is for [`run`].
pub fn queue() -> (Publisher, mpsc::Receiver<Job>) {
    let (jobs, waiting) = mpsc::channel(WAITING_MAX);
    (Publisher { jobs }, waiting)
}

impl Publisher {
    /// Publishes, and returns once the event is durable. A caller that stops waiting changes nothing: a draft that was
    /// accepted is appended and announced.
    pub async fn publish(&self, draft: Draft) -> Result<Appended, PublishError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { draft, answer }).map_err(|_| PublishError::Busy)?;
        let lost = |_| AppendError::Unavailable("the publisher ended".into());
        Ok(answered.await.map_err(lost)??)
    }

    /// The number of drafts that wait.
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }
}

/// Runs until `stop`, and then until everything accepted before is appended.
pub async fn run(
    mut jobs: mpsc::Receiver<Job>,
    log: Arc<dyn EventLog>,
    bus: Arc<dyn Bus>,
    write_probe: Arc<WriteProbe>,
    metrics: Arc<CoreMetrics>,
    stop: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    loop {
        let taken = tokio::select! {
            biased;
            () = stop.cancelled(), if !jobs.is_closed() => {
                jobs.close();
                continue;
            }
            taken = jobs.recv_many(&mut batch, BATCH_MAX) => taken,
        };
        if taken == 0 {
            return;
        }
        let (drafts, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|job| (job.draft, job.answer)).unzip();
        let began = Instant::now();
        let results = log.append(drafts).await;
        metrics.append_seconds.observe(began.elapsed().as_secs_f64());
        metrics.append_drafts.observe(taken as f64);
        if let Some(result) = results.iter().find_map(write_result) {
            write_probe.record(result);
        }
        let failed = results.iter().filter(|result| matches!(result, Err(AppendError::Unavailable(_))));
        metrics.appends_failed.inc_by(failed.count() as u64);
        let appended = results.iter().flatten();
        for new in appended.filter(|appended| appended.outcome == Outcome::New) {
            announce(&*bus, new).await;
        }
        for (answer, result) in answers.into_iter().zip(results) {
            // An error says that the caller hung up.
            answer.send(result).ok();
        }
    }
}

/// The result of the write behind an answer; `None` if there was no write, as for a key that was known.
fn write_result(result: &Result<Appended, AppendError>) -> Option<Result<(), &str>> {
    match result {
        Ok(Appended { outcome: Outcome::New, .. }) => Some(Ok(())),
        Err(AppendError::Unavailable(cause)) => Some(Err(cause)),
        _ => None,
    }
}

/// Announces an event. A notice that cannot be sent is like one that was lost: each node's beat finds the event in the
/// log.
async fn announce(bus: &dyn Bus, appended: &Appended) {
    let notice = Notice { epoch: appended.epoch.clone(), event: Arc::new(appended.event.clone()) };
    if let Err(error) = bus.announce(notice).await {
        tracing::warn!(%error, "an event was appended and could not be announced");
    }
}
