//! `Throttle`: draws at a pace that a person can follow, whatever the pace at which things happen.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use leptos::prelude::{request_animation_frame, set_timeout};
use shared::Millis;

use super::{is_hidden, now_ms};

/// Between two of them a person sees no step, and a slow machine has time for keys.
const PACE_MS: Millis = 100;

/// Calls what it was made for when it is asked to: with the next frame if that was long enough ago, else a little
/// later, once for all that asked meanwhile. In a page that nobody sees there are no frames: there it calls at once.
pub struct Throttle {
    this: Weak<Throttle>,
    act: Box<dyn Fn()>,
    is_due: Cell<bool>,
    acted_at: Cell<Millis>,
}

impl Throttle {
    /// A throttle of `act`.
    pub fn new(act: impl Fn() + 'static) -> Rc<Throttle> {
        let acted_at = Cell::new(Millis::MIN / 2);
        Rc::new_cyclic(|this| Throttle {
            this: this.clone(),
            act: Box::new(act),
            is_due: Cell::default(),
            acted_at,
        })
    }

    /// Asks for a call.
    pub fn ask(&self) {
        if is_hidden() {
            return self.act();
        }
        if self.is_due.replace(true) {
            return;
        }
        match self.acted_at.get() + PACE_MS - now_ms() {
            wait if wait > 0 => {
                let this = self.this.clone();
                set_timeout(
                    move || this.upgrade().iter().for_each(|this| this.with_the_frame()),
                    Duration::from_millis(wait as u64),
                );
            }
            _ => self.with_the_frame(),
        }
    }

    /// A page that is hidden before its frame comes is called for by whoever asks next, or gets it once it is shown.
    fn with_the_frame(&self) {
        let this = self.this.clone();
        request_animation_frame(move || {
            if let Some(this) = this.upgrade().filter(|this| this.is_due.get()) {
                this.act();
            }
        });
    }

    /// Calls at once, for all that asked: where more waits than should.
    pub fn act(&self) {
        self.is_due.set(false);
        self.acted_at.set(now_ms());
        (self.act)();
    }
}
