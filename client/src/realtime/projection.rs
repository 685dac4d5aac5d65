//! `Projection`: the state that a feature folds from the events of one topic.

use shared::{Event, Seq, TopicKind};

/// State folded from the events of one topic: what a feature shows.
///
/// Events arrive in order, each once. The state before the first event is `Default`.
pub trait Projection: Default + Send + Sync + 'static {
    /// The kind of topic that it reads.
    type Kind: TopicKind;

    /// Applies the next event, which is newer than all before it.
    fn apply(&mut self, event: &Event, payload: <Self::Kind as TopicKind>::Event);

    /// Applies an event that is older than all that are there; a page is passed from its newest event to its oldest.
    fn apply_older(&mut self, event: &Event, payload: <Self::Kind as TopicKind>::Event);

    /// Frees the memory of events older than that. They may be passed to [`Projection::apply_older`] again.
    fn forget_before(&mut self, _seq: Seq) {}
}
