//! `Witness`: who is told what happens to a client. A test keeps all of it, the load generator counts.

use shared::{CloseReason, Event, ServerFrame, Status, Step, Topic};

/// Told in the order in which it happens.
pub trait Witness: Send + 'static {
    /// The badge shows something else.
    fn on_status(&mut self, status: Status);

    /// A socket was opened.
    fn on_opened(&mut self);

    /// A socket ended.
    fn on_closed(&mut self, reason: CloseReason);

    /// A frame came.
    fn on_frame(&mut self, frame: &ServerFrame);

    /// A topic was opened, with nothing read yet.
    fn on_watch(&mut self, topic: &Topic);

    /// A topic's feed says what to do.
    fn on_step(&mut self, topic: &Topic, step: &Step<Event>);
}
