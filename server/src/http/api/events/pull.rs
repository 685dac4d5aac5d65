//! `PullRequest`: a request for events, as all three answers read it.

use realtime::{Range, Visitor};
use shared::{EventPage, Seq, Topic};

use crate::http::error::ApiError;
use crate::http::guard::client_ip::ClientIp;
use crate::http::state::AppState;

/// The headers that an answer depends on.
pub const VARY_ON: &str = "Accept, Prefer, Accept-Encoding";

/// A request for a part of a topic, by a person who may read it.
pub struct PullRequest {
    pub app: AppState,
    pub visitor: Visitor,
    pub from: ClientIp,
    pub topic: Topic,
    pub range: Range,
    /// The newest seq that the reader was told of.
    pub heard: Seq,
}

impl PullRequest {
    /// Reads a page. A waiting reader reads again and again, and is checked each time.
    pub async fn pull(&self, range: Range) -> Result<EventPage, ApiError> {
        let PullRequest { app, visitor, from, topic, heard, .. } = self;
        // The budget had room when the request came; others who read at the same time may have used it up since.
        app.budget.check(*from)?;
        Ok(app.node.page_for(&visitor.identity, topic, range, *heard).await?)
    }
}
