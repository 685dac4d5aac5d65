//! Who sits in front of the page: asking the server, naming oneself, renaming, signing out.
//!
//! The server alone knows; what is kept here is its last answer. Other windows of this browser share the
//! cookie, so a sign-in can end without anybody having clicked here.

mod menu;
mod name_form;
mod naming;
mod suggestion;

use leptos::prelude::*;
use shared::{ErrorCode, Identity, NewIdentity, Problem, endpoint};

use crate::http;

pub use menu::UserMenu;
pub use naming::Naming;

/// What is known about the person.
#[derive(Debug, Clone, PartialEq)]
pub enum SignIn {
    /// Being asked.
    Asking,
    /// Could not be asked.
    Unreachable(Problem),
    /// Nobody.
    Out,
    /// This one.
    In(Identity),
}

/// The sign-in of this page. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Me {
    sign_in: RwSignal<SignIn>,
}

impl Me {
    /// Makes it, asks the server, and hands it to everything below the caller.
    pub fn provide() -> Me {
        let me = Me { sign_in: RwSignal::new(SignIn::Asking) };
        http::on_unauthenticated(move || me.lost());
        provide_context(me);
        me.ask();
        me
    }

    /// What is known.
    pub fn sign_in(self) -> ReadSignal<SignIn> {
        self.sign_in.read_only()
    }

    /// The person, where pages are shown that only a person sees.
    pub fn identity(self) -> Option<Identity> {
        match self.sign_in.get() {
            SignIn::In(identity) => Some(identity),
            _ => None,
        }
    }

    /// Asks the server.
    pub fn ask(self) {
        self.sign_in.set(SignIn::Asking);
        self.ask_again();
    }

    /// Asks the server because there is reason to; everything stays as it is until it answers.
    pub fn ask_again(self) {
        leptos::task::spawn_local(async move {
            let is_asking = self.sign_in.get_untracked() == SignIn::Asking;
            let found = match http::get_json(endpoint::ME).await {
                Ok(Some(identity)) => SignIn::In(identity),
                Ok(None) => SignIn::Out,
                Err(problem) if is_asking => SignIn::Unreachable(problem),
                Err(_) => return,
            };
            // An open menu stays open when nothing has changed.
            if self.sign_in.get_untracked() != found {
                self.sign_in.set(found);
            }
        });
    }

    /// Takes a name: the first one signs in, every other one renames.
    pub async fn take_name(self, name: String) -> Result<(), Problem> {
        let identity = http::post_json(endpoint::ME, &NewIdentity { name }, None).await?;
        self.sign_in.set(SignIn::In(identity));
        Ok(())
    }

    /// Ends the sign-in, here and in all windows of this browser.
    pub async fn sign_out(self) -> Result<(), Problem> {
        let before = self.sign_in.get_untracked();
        // The pages close first: afterwards they would talk to a socket that the server hangs up.
        self.sign_in.set(SignIn::Asking);
        match http::delete(endpoint::ME).await {
            Err(problem) if problem.code != ErrorCode::Unauthenticated => {
                self.sign_in.set(before);
                Err(problem)
            }
            _ => {
                self.sign_in.set(SignIn::Out);
                Ok(())
            }
        }
    }

    /// The server says that nobody is signed in.
    pub fn lost(self) {
        if matches!(self.sign_in.get_untracked(), SignIn::In(_)) {
            self.sign_in.set(SignIn::Out);
        }
    }
}

/// The [`Me`] that the app provides.
pub fn use_me() -> Me {
    use_context().expect("the app provides it to every page")
}
