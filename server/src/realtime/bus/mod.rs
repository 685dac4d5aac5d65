//! The bus: how nodes tell each other what was published. It may lose, repeat and reorder: the log is the truth.

mod local;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use shared::{Epoch, Event};

/// The link between the nodes of one log.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Tells every node, this one too; at most once, in any order.
    async fn announce(&self, notice: Notice) -> Result<(), BusError>;

    /// All notices from now on, our own included. The stream ends only with the bus.
    fn listen(&self) -> BoxStream<'static, Heard>;
}

/// "This was appended."
#[derive(Debug, Clone)]
pub struct Notice {
    /// The life of the log it belongs to.
    pub epoch: Epoch,
    /// What was appended.
    pub event: Arc<Event>,
}

/// What comes over the bus.
#[derive(Debug, Clone)]
pub enum Heard {
    /// A notice.
    Notice(Notice),
    /// Some notices were lost: the heads must be read again.
    Missed,
}

/// The bus cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct BusError(pub String);

/// Opens the bus that `url` names: `local:` within this process.
pub async fn open(url: &str) -> Result<Arc<dyn Bus>, BusError> {
    match url {
        "local:" => Ok(Arc::new(local::LocalBus::default())),
        _ => {
            // What follows the scheme may hold a password.
            let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
            Err(BusError(format!("unknown scheme {scheme:?}: only local: is known, with nothing after it")))
        }
    }
}
