//! `ClientObserver`: gets notified of everything that happens to a `TestBrowser`. A test records all of it; the load
//! generator counts.

use shared::{CloseReason, Event, ServerFrame, Status, Step, Topic};

/// Callbacks, called in the order in which things happen.
pub trait ClientObserver: Send + 'static {
    /// The status of the connection changed.
    fn on_status(&mut self, status: Status);

    /// A socket was opened.
    fn on_opened(&mut self);

    /// A socket was closed.
    fn on_closed(&mut self, reason: CloseReason);

    /// A frame arrived.
    fn on_frame(&mut self, frame: &ServerFrame);

    /// A topic was opened, with nothing read yet.
    fn on_watch(&mut self, topic: &Topic);

    /// The feed of a topic returned a step.
    fn on_step(&mut self, topic: &Topic, step: &Step<Event>);
}
