//! The publisher: the one task of a node that appends and announces.
//!
//! It takes all drafts that wait, appends them as one batch, announces them in order, then answers. So commits
//! are shared, order is kept, and a caller that hangs up changes nothing, in one place outside every back end.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::realtime::bus::{Bus, Notice};
use crate::realtime::error::PublishError;
use crate::realtime::figures::Figures;
use crate::realtime::log::{AppendError, Appended, Draft, EventLog, Outcome};
use crate::realtime::writable::Writable;

/// Publishes that wait for the log. At 8 KiB each this is 32 MiB, and seconds of a disk's work.
const WAITING_MAX: usize = 4_096;
/// Drafts in one transaction: enough to share a sync to disk, few enough that nobody waits long.
const BATCH_MAX: usize = 256;

/// A draft, and whom to answer.
pub struct Job {
    draft: Draft,
    answer: oneshot::Sender<Result<Appended, AppendError>>,
}

/// The way to the publisher task. Cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    jobs: mpsc::Sender<Job>,
}

/// The queue and its two ends: the second one is for [`run`].
pub fn queue() -> (Publisher, mpsc::Receiver<Job>) {
    let (jobs, waiting) = mpsc::channel(WAITING_MAX);
    (Publisher { jobs }, waiting)
}

impl Publisher {
    /// Publishes, and returns once the event is durable. Whoever stops waiting changes nothing: what was accepted
    /// is appended and announced.
    pub async fn publish(&self, draft: Draft) -> Result<Appended, PublishError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { draft, answer }).map_err(|_| PublishError::Busy)?;
        let lost = |_| AppendError::Unavailable("the publisher ended".into());
        Ok(answered.await.map_err(lost)??)
    }

    /// How many drafts wait.
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }
}

/// Runs until `stop`, and then until everything accepted before is appended.
pub async fn run(
    mut jobs: mpsc::Receiver<Job>,
    log: Arc<dyn EventLog>,
    bus: Arc<dyn Bus>,
    writable: Arc<Writable>,
    figures: Arc<Figures>,
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
        figures.append_seconds.observe(began.elapsed().as_secs_f64());
        figures.append_drafts.observe(taken as f64);
        if let Some(outcome) = results.iter().find_map(written) {
            writable.note(outcome);
        }
        let failed = results.iter().filter(|result| matches!(result, Err(AppendError::Unavailable(_))));
        figures.appends_failed.inc_by(failed.count() as u64);
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

/// Whether the log was written, as far as one answer tells: a key that was known needed no write.
fn written(result: &Result<Appended, AppendError>) -> Option<Result<(), &str>> {
    match result {
        Ok(Appended { outcome: Outcome::New, .. }) => Some(Ok(())),
        Err(AppendError::Unavailable(cause)) => Some(Err(cause)),
        _ => None,
    }
}

/// A notice that cannot be sent is like one that was lost: the beat of each node finds the event in the log.
async fn announce(bus: &dyn Bus, appended: &Appended) {
    let notice = Notice { epoch: appended.epoch.clone(), event: Arc::new(appended.event.clone()) };
    if let Err(error) = bus.announce(notice).await {
        tracing::warn!(%error, "an event was appended and could not be announced");
    }
}
