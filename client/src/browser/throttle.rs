//! `Throttle`: limits how often something is drawn, however often it changes.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::{document, request_animation_frame, set_timeout};
use shared::Millis;

use super::clock::now_ms;

/// The shortest time between two calls. People see no steps at this pace, and a slow machine has time for keys.
const INTERVAL_MS: Millis = 100;

/// Calls its function on request: on the next frame if the last call was long enough ago, otherwise a little later,
/// once for all requests until then. A hidden tab has no frames: there it calls at once.
pub struct Throttle {
    function: Box<dyn Fn()>,
    is_due: Cell<bool>,
    called_at: Cell<Millis>,
}

impl Throttle {
    /// Creates a throttle of `function`.
    pub fn new(function: impl Fn() + 'static) -> Rc<Throttle> {
        Rc::new(Throttle {
            function: Box::new(function),
            is_due: Cell::default(),
            called_at: Cell::new(Millis::MIN / 2),
        })
    }

    /// Requests a call.
    pub fn request(self: &Rc<Self>) {
        if document().hidden() {
            return self.call_now();
        }
        if self.is_due.replace(true) {
            return;
        }
        let wait = self.called_at.get() + INTERVAL_MS - now_ms();
        if wait <= 0 {
            return self.call_on_frame();
        }
        let throttle = self.clone();
        set_timeout(move || throttle.call_on_frame(), Duration::from_millis(wait as u64));
    }

    /// Calls on the next frame. If the tab is hidden before that, the next request calls, or the first frame once the
    /// tab is visible again.
    fn call_on_frame(self: &Rc<Self>) {
        let throttle = self.clone();
        request_animation_frame(move || {
            if throttle.is_due.get() {
                throttle.call_now();
            }
        });
    }

    /// Calls at once, for all requests so far: for a caller whose queue has grown too long.
    pub fn call_now(&self) {
        self.is_due.set(false);
        self.called_at.set(now_ms());
        (self.function)();
    }
}
