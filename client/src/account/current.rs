//! `Account`: the account that this tab is signed in to.
//!
//! Only the server knows it; the tab holds the server's last answer. All tabs of a browser share the cookie, so a
//! sign-in can end without any action in this tab.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ErrorCode, Identity, NewIdentity, Problem, endpoint};
use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use crate::browser::WebStorage;
use crate::http;

/// The storage item that holds the name last taken in this browser, to notify the other tabs.
const NAME: &str = "duplex:name";

/// The state of the sign-in, as far as this tab knows.
#[derive(Debug, Clone, PartialEq)]
pub enum SignInState {
    /// The server has been asked.
    Checking,
    /// The server could not be asked.
    Unreachable(Problem),
    /// Nobody is signed in.
    SignedOut,
    /// This identity is signed in.
    SignedIn(Identity),
}

/// The account of this tab. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Account {
    sign_in: RwSignal<SignInState>,
    ended_by_itself: StoredValue<bool>,
}

impl Account {
    /// Creates the account, asks the server, and provides it to everything below the caller.
    pub fn provide() -> Account {
        let account = Account {
            sign_in: RwSignal::new(SignInState::Checking),
            ended_by_itself: StoredValue::new(false),
        };
        http::on_unauthenticated(move || account.on_sign_in_ended());
        // Another tab has taken another name.
        window_event_listener_untyped("storage", move |event| {
            let name = event.dyn_ref::<StorageEvent>().and_then(StorageEvent::key);
            if name.as_deref() == Some(NAME) {
                account.recheck();
            }
        });
        provide_context(account);
        account.check();
        account
    }

    /// The state of the sign-in.
    pub fn sign_in(self) -> ReadSignal<SignInState> {
        self.sign_in.read_only()
    }

    /// The identity that is signed in. Tracked.
    pub fn identity(self) -> Option<Identity> {
        match self.sign_in.get() {
            SignInState::SignedIn(identity) => Some(identity),
            _ => None,
        }
    }

    /// Asks the server who is signed in, and shows [`SignInState::Checking`] until it answers.
    pub fn check(self) {
        self.sign_in.set(SignInState::Checking);
        self.recheck();
    }

    /// Asks the server who is signed in. The state stays as it is until it answers.
    pub fn recheck(self) {
        spawn_local(async move {
            let is_checking = self.sign_in.get_untracked() == SignInState::Checking;
            let found = match http::get_json(endpoint::ME).await {
                Ok(Some(identity)) => SignInState::SignedIn(identity),
                Ok(None) => SignInState::SignedOut,
                Err(problem) if is_checking => SignInState::Unreachable(problem),
                Err(_) => return,
            };
            // Setting an equal state would close an open menu.
            match self.sign_in.get_untracked() {
                SignInState::SignedIn(_) if found == SignInState::SignedOut => self.on_sign_in_ended(),
                known if known != found => self.sign_in.set(found),
                _ => {}
            }
        });
    }

    /// Takes a name: the first one signs in, every other one renames.
    pub async fn take_name(self, name: String) -> Result<(), Problem> {
        let identity: Identity = http::post_json(endpoint::ME, &NewIdentity { name }, None).await?;
        // Without storage the other tabs learn of the name when they are reloaded.
        let _ = WebStorage::Browser.write(NAME, identity.name.as_str());
        self.ended_by_itself.set_value(false);
        self.sign_in.set(SignInState::SignedIn(identity));
        Ok(())
    }

    /// Signs out, in all tabs of this browser.
    pub async fn sign_out(self) -> Result<(), Problem> {
        let before = self.sign_in.get_untracked();
        // The features close first: otherwise they would use a socket that the server is about to close.
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

    /// Notes that the sign-in ended without a sign-out in this tab.
    pub fn on_sign_in_ended(self) {
        if matches!(self.sign_in.get_untracked(), SignInState::SignedIn(_)) {
            self.ended_by_itself.set_value(true);
            self.sign_in.set(SignInState::SignedOut);
        }
    }

    /// True if the last sign-in of this tab ended by itself, perhaps while the user was typing.
    pub fn ended_by_itself(self) -> bool {
        self.ended_by_itself.get_value()
    }
}

/// Returns the [`Account`] that the app provides.
pub fn use_account() -> Account {
    use_context().expect("the app provides it to every view")
}
