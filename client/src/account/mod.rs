//! Who sits in front of the page: asking the server, naming oneself, renaming, signing out.
//!
//! The server alone knows; what is kept here is its last answer. Other windows of this browser share the
//! cookie, so a sign-in can end without anybody having clicked here.

mod name_form;
mod name_suggestion;
mod user_menu;
mod welcome;

use leptos::prelude::*;
use shared::{ErrorCode, Identity, NewIdentity, Problem, endpoint};

use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use crate::browser::Storage;
use crate::http;

pub use user_menu::UserMenu;
pub use welcome::WelcomePanel;

/// The name that was taken last in this browser, for its other windows.
const NAME: &str = "duplex:name";

/// What is known about the person.
#[derive(Debug, Clone, PartialEq)]
pub enum SignInState {
    /// Being asked.
    Checking,
    /// Could not be asked.
    Unreachable(Problem),
    /// Nobody.
    SignedOut,
    /// This one.
    SignedIn(Identity),
}

/// The sign-in of this page. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Account {
    sign_in: RwSignal<SignInState>,
    has_ended: StoredValue<bool>,
}

impl Account {
    /// Makes it, asks the server, and hands it to everything below the caller.
    pub fn provide() -> Account {
        let (sign_in, has_ended) = (RwSignal::new(SignInState::Checking), StoredValue::new(false));
        let me = Account { sign_in, has_ended };
        http::on_unauthenticated(move || me.lost());
        // Another window of this browser has taken another name.
        window_event_listener_untyped("storage", move |event| {
            let name = event.dyn_ref::<StorageEvent>().and_then(StorageEvent::key);
            if name.as_deref() == Some(NAME) {
                me.ask_again();
            }
        });
        provide_context(me);
        me.ask();
        me
    }

    /// What is known.
    pub fn sign_in(self) -> ReadSignal<SignInState> {
        self.sign_in.read_only()
    }

    /// The person, where pages are shown that only a person sees.
    pub fn identity(self) -> Option<Identity> {
        match self.sign_in.get() {
            SignInState::SignedIn(identity) => Some(identity),
            _ => None,
        }
    }

    /// Asks the server.
    pub fn ask(self) {
        self.sign_in.set(SignInState::Checking);
        self.ask_again();
    }

    /// Asks the server because there is reason to; everything stays as it is until it answers.
    pub fn ask_again(self) {
        leptos::task::spawn_local(async move {
            let is_asking = self.sign_in.get_untracked() == SignInState::Checking;
            let found = match http::get_json(endpoint::ME).await {
                Ok(Some(identity)) => SignInState::SignedIn(identity),
                Ok(None) => SignInState::SignedOut,
                Err(problem) if is_asking => SignInState::Unreachable(problem),
                Err(_) => return,
            };
            // An open menu stays open when nothing has changed.
            match self.sign_in.get_untracked() {
                SignInState::SignedIn(_) if found == SignInState::SignedOut => self.lost(),
                known if known != found => self.sign_in.set(found),
                _ => {}
            }
        });
    }

    /// Takes a name: the first one signs in, every other one renames.
    pub async fn take_name(self, name: String) -> Result<(), Problem> {
        let identity: Identity = http::post_json(endpoint::ME, &NewIdentity { name }, None).await?;
        // Where it cannot be told, the other windows learn of it when they are loaded again.
        let _ = Storage::Browser.write(NAME, identity.name.as_str());
        self.has_ended.set_value(false);
        self.sign_in.set(SignInState::SignedIn(identity));
        Ok(())
    }

    /// Ends the sign-in, here and in all windows of this browser.
    pub async fn sign_out(self) -> Result<(), Problem> {
        let before = self.sign_in.get_untracked();
        // The pages close first: afterwards they would talk to a socket that the server hangs up.
        self.sign_in.set(SignInState::Checking);
        match http::delete(endpoint::ME).await {
            Err(problem) if problem.code != ErrorCode::Unauthenticated => {
                self.sign_in.set(before);
                Err(problem)
            }
            _ => {
                self.sign_in.set(SignInState::SignedOut);
                Ok(())
            }
        }
    }

    /// The server says that nobody is signed in.
    pub fn lost(self) {
        if matches!(self.sign_in.get_untracked(), SignInState::SignedIn(_)) {
            self.has_ended.set_value(true);
            self.sign_in.set(SignInState::SignedOut);
        }
    }

    /// True if the last sign-in of this page ended by itself, perhaps while somebody was typing.
    pub fn has_ended(self) -> bool {
        self.has_ended.get_value()
    }
}

/// The [`Me`] that the app provides.
pub fn use_account() -> Account {
    use_context().expect("the app provides it to every page")
}
