//! The app: the frame around every screen, the choice of the screen, and the wiring of the modules.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use shared::{ErrorCode, Problem, Status, UserId};

use crate::account::{Account, SignInState, UserMenu, WelcomePanel, use_account};
use crate::address::{Address, use_address};
use crate::browser::{self, WebStorage};
use crate::features;
use crate::realtime::Realtime;
use crate::ui::{
    APP_NAME, Announcer, AnnouncerRegion, ConnectionBadge, Heading, Logo, NewVersion, NoticeRegion, Notices,
    SkipLink, SkipLinkView, TabTitle, panic, problem_text, reactive,
};

/// The interval at which a server is asked again that did not answer when the app started.
const RECHECK_EVERY: Duration = Duration::from_secs(10);
/// The path of the start screen.
const START: &str = "/";

/// Mounts the app.
pub fn mount() {
    panic::install_hook();
    // In a task of its own: a browser that has just compiled the WebAssembly can handle a click in between.
    set_timeout(|| leptos::mount::mount_to_body(App), Duration::ZERO);
}

/// Removes the loading screen of `index.html` once it is known who is signed in.
fn remove_loading_screen_once_known(account: Account) {
    let sign_in = account.sign_in();
    Effect::new(reactive(move || {
        if sign_in.get() != SignInState::Checking
            && let Some(loading) = document().get_element_by_id("boot")
        {
            loading.remove();
        }
    }));
}

/// The root component.
#[component]
pub fn App() -> impl IntoView {
    Address::provide();
    TabTitle::provide();
    SkipLink::provide();
    Announcer::provide();
    let notices = Notices::provide();
    let account = Account::provide();
    let realtime = Realtime::provide(move || account.recheck());
    warn_of_unstored_posts(realtime, notices);
    // A document from the back/forward cache missed what other tabs reported, such as another user's sign-in.
    window_event_listener_untyped("pageshow", move |_| account.recheck());
    remove_loading_screen_once_known(account);
    follow_sign_in(account, realtime, notices);
    view! {
        <SkipLinkView/>
        <Header/>
        <NewVersion/>
        <main id="main" tabindex="-1"><CurrentScreen/></main>
        <NoticeRegion/>
        <AnnouncerRegion/>
    }
}

/// Warns that waiting posts would not survive a reload, until none waits any more.
fn warn_of_unstored_posts(realtime: Realtime, notices: Notices) {
    let is_warned = Cell::new(false);
    Effect::new(reactive(move || {
        let is_due = realtime.has_unstored() && realtime.unsent() > 0;
        match (is_due, is_warned.replace(is_due)) {
            (true, false) => {
                notices.warn("Your browser blocks storage. Keep this tab open until your messages are sent.")
            }
            (false, true) => notices.clear(),
            _ => {}
        }
    }));
}

/// Connects while somebody is signed in, and disconnects when the sign-in ends.
fn follow_sign_in(account: Account, realtime: Realtime, notices: Notices) {
    let sign_in = account.sign_in();
    let status = realtime.status();
    let was_signed_in = Cell::new(false);
    let is_warned = Cell::new(false);
    Effect::new(reactive(move || {
        let sign_in = sign_in.get();
        let was_signed_in = was_signed_in.replace(matches!(sign_in, SignInState::SignedIn(_)));
        match &sign_in {
            SignInState::SignedIn(identity) => {
                if is_warned.replace(false) {
                    notices.clear();
                }
                realtime.start(identity.id.clone());
            }
            SignInState::SignedOut => {
                // A sign-out by the user passes through `Checking`, so this sign-in ended by itself.
                if was_signed_in {
                    is_warned.set(true);
                    notices.warn(signed_out_text(untrack(|| realtime.unsent())));
                }
                realtime.stop();
                // Drafts must not be seen by the next user.
                WebStorage::Tab.clear("duplex:");
            }
            SignInState::Checking | SignInState::Unreachable(_) => {}
        }
    }));
    Effect::new(reactive(move || {
        if status.get() == Status::SignedOut {
            account.on_sign_in_ended();
        }
    }));
}

/// The warning about a sign-in that ended by itself. Nobody can sign in to the account again, so unsent messages are
/// lost with it.
fn signed_out_text(unsent: usize) -> String {
    let lost = match unsent {
        0 => String::new(),
        1 => " One message was not sent.".into(),
        many => format!(" {many} messages were not sent."),
    };
    format!("You've been signed out.{lost} Enter a name to continue.")
}

#[component]
fn Header() -> impl IntoView {
    let account = use_account();
    let menu = reactive(move || account.identity().map(|identity| view! { <UserMenu identity/> }));
    view! {
        <header class="header">
            <a class="brand" href="/"><Logo/><span>{APP_NAME}</span></a>
            <ConnectionBadge/>
            {menu}
        </header>
    }
}

/// The screen that is shown. Taking another name does not change it.
#[derive(Clone, PartialEq)]
enum Screen {
    Loading,
    Unreachable(Problem),
    Welcome,
    Feature(UserId),
}

#[component]
fn CurrentScreen() -> impl IntoView {
    let sign_in = use_account().sign_in();
    let screen = Memo::new(move |_| match sign_in.get() {
        SignInState::Checking => Screen::Loading,
        SignInState::Unreachable(problem) => Screen::Unreachable(problem),
        SignInState::SignedOut => Screen::Welcome,
        SignInState::SignedIn(identity) => Screen::Feature(identity.id),
    });
    reactive(move || match screen.get() {
        Screen::Loading => view! { <p class="waiting" role="status">"One moment…"</p> }.into_any(),
        Screen::Unreachable(problem) => view! { <UnreachableScreen problem/> }.into_any(),
        Screen::Welcome => view! { <WelcomeScreen/> }.into_any(),
        Screen::Feature(_) => view! { <FeatureScreen/> }.into_any(),
    })
}

/// Asks a new user for a name, then goes from the start screen to the home of the first feature that has one. A user
/// who came by a deeper link stays there.
#[component]
fn WelcomeScreen() -> impl IntoView {
    let address = use_address();
    let destination = move || match untrack(|| address.path()) {
        path if path == START => features::home().unwrap_or(START).to_owned(),
        path => path,
    };
    view! { <WelcomePanel second_window=destination() on_done=move |_: String| address.go(&destination())/> }
}

/// Shows the view of the feature that claims the path.
#[component]
fn FeatureScreen() -> impl IntoView {
    let address = use_address();
    let index = Memo::new(move |_| {
        let path = address.path();
        features::ALL.iter().position(|feature| (feature.claims)(&path))
    });
    reactive(move || match index.get() {
        Some(index) => (features::ALL[index].view)(),
        None => view! { <NotFoundScreen/> }.into_any(),
    })
}

#[component]
fn UnreachableScreen(problem: Problem) -> impl IntoView {
    let account = use_account();
    browser::repeat(RECHECK_EVERY, move || account.recheck());
    browser::on_window_event("online", move || account.recheck());
    let (heading, advice) = match problem.code {
        ErrorCode::Unavailable => {
            ("Can't reach the server", "Check your internet connection. We'll keep trying.".to_owned())
        }
        _ => ("The app can't start", problem_text(&problem)),
    };
    view! {
        <section class="panel">
            <Heading text=heading/>
            <p class="lead">{advice}</p>
            <button id="retry" class="button" type="button" on:click=move |_| account.check()>"Retry"</button>
        </section>
    }
}

#[component]
fn NotFoundScreen() -> impl IntoView {
    view! {
        <section class="panel">
            <Heading id="not-found" text="Page not found"/>
            <p class="lead">"Check the address, or go back to the start page."</p>
            <a class="button" href=START>"Go to the start page"</a>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_out_warning_counts_the_messages_that_were_not_sent() {
        assert_eq!(signed_out_text(0), "You've been signed out. Enter a name to continue.");
        assert_eq!(
            signed_out_text(1),
            "You've been signed out. One message was not sent. Enter a name to continue."
        );
        assert!(signed_out_text(7).contains("7 messages were not sent."));
    }
}
