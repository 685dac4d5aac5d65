//! The app: what every page has around it, which page is shown, and what the parts have to do with each
//! other.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use shared::{ErrorCode, Problem, Status, UserId};

use crate::account::{Account, SignInState, UserMenu, WelcomePanel, use_account};
use crate::address::{Address, use_address};
use crate::browser::Storage;
use crate::features;
use crate::realtime::Realtime;
use crate::ui::{
    APP_NAME, Announcer, AnnouncerRegion, ConnectionBadge, Heading, Logo, NewVersion, NoticeRegion, Notices,
    SkipLink, SkipLinkView, TabTitle, panic, problem_text, reactive,
};

/// A server that did not answer when the page began is asked again this often.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// The path where a person begins who has just come.
const START: &str = "/";

/// Starts the page.
pub fn mount() {
    panic::install_hook();
    // In a task of its own: a browser that has just compiled the page can answer a click in between.
    set_timeout(|| leptos::mount::mount_to_body(App), Duration::ZERO);
}

/// Keeps in sight what was shown while the page loaded, until it is known who is here.
fn end_loading_once_known(me: Account) {
    let sign_in = me.sign_in();
    Effect::new(reactive(move || {
        if sign_in.get() != SignInState::Checking
            && let Some(loading) = document().get_element_by_id("boot")
        {
            loading.remove();
        }
    }));
}

/// Everything.
#[component]
pub fn App() -> impl IntoView {
    Address::provide();
    TabTitle::provide();
    SkipLink::provide();
    Announcer::provide();
    let notices = Notices::provide();
    let me = Account::provide();
    let is_unkept = RwSignal::new(false);
    let realtime = Realtime::provide(move || is_unkept.set(true), move || me.ask_again());
    tell_of_unkept(is_unkept, realtime, notices);
    // Somebody else may have signed in while the page was kept for "back", and other tabs cannot tell it then.
    window_event_listener_untyped("pageshow", move |_| me.ask_again());
    end_loading_once_known(me);
    follow_sign_in(me, realtime, notices);
    view! {
        <SkipLinkView/>
        <Header realtime/>
        <NewVersion served=realtime.served_build()/>
        <main id="main" tabindex="-1"><CurrentScreen/></main>
        <NoticeRegion/>
        <AnnouncerRegion/>
    }
}

/// Says that what waits would not survive a reload, until nothing waits any more.
fn tell_of_unkept(is_unkept: RwSignal<bool>, realtime: Realtime, notices: Notices) {
    let is_told = Cell::new(false);
    Effect::new(reactive(move || {
        let is_due = is_unkept.get() && realtime.unsent() > 0;
        match (is_due, is_told.replace(is_due)) {
            (true, false) => {
                notices.warn("Your browser blocks storage. Keep this tab open until your messages are sent.")
            }
            (false, true) => notices.clear(),
            _ => {}
        }
    }));
}

/// Connected for whoever is signed in, and for nobody else.
fn follow_sign_in(me: Account, realtime: Realtime, notices: Notices) {
    let (sign_in, status) = (me.sign_in(), realtime.status());
    let (was_in, is_warned) = (Cell::new(false), Cell::new(false));
    Effect::new(reactive(move || {
        let sign_in = sign_in.get();
        let was_in = was_in.replace(matches!(sign_in, SignInState::SignedIn(_)));
        match &sign_in {
            SignInState::SignedIn(person) => {
                if is_warned.replace(false) {
                    notices.clear();
                }
                realtime.start(person.id.clone());
            }
            SignInState::SignedOut => {
                // Who signs out here waits for the answer in between.
                if was_in {
                    is_warned.set(true);
                    notices.warn(signed_out(untrack(|| realtime.unsent())));
                }
                realtime.stop();
                // What was begun here is not for the next person's eyes.
                Storage::Tab.clear("duplex:");
            }
            SignInState::Checking | SignInState::Unreachable(_) => {}
        }
    }));
    Effect::new(reactive(move || {
        if status.get() == Status::SignedOut {
            me.lost();
        }
    }));
}

/// The words about a sign-in that ended by itself. A guest does not come back: what is unsent is lost with it.
fn signed_out(unsent: usize) -> String {
    let lost = match unsent {
        0 => String::new(),
        1 => " One message was not sent.".into(),
        many => format!(" {many} messages were not sent."),
    };
    format!("You've been signed out.{lost} Enter a name to continue.")
}

#[component]
fn Header(realtime: Realtime) -> impl IntoView {
    let sign_in = use_account().sign_in();
    let menu = reactive(move || match sign_in.get() {
        SignInState::SignedIn(person) => view! { <UserMenu person/> }.into_any(),
        _ => ().into_any(),
    });
    view! {
        <header class="header">
            <a class="brand" href="/"><Logo/><span>{APP_NAME}</span></a>
            <ConnectionBadge
                status=realtime.status() is_full=realtime.is_full()
                on_reconnect=move |()| realtime.reconnect_now()
            />
            {menu}
        </header>
    }
}

/// Which of the four situations a person is in; a new name is not another one.
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
        SignInState::SignedIn(person) => Screen::Feature(person.id),
    });
    reactive(move || match screen.get() {
        Screen::Loading => view! { <p class="waiting" role="status">"One moment…"</p> }.into_any(),
        Screen::Unreachable(problem) => view! { <Unreachable problem/> }.into_any(),
        Screen::Welcome => view! { <WelcomeScreen/> }.into_any(),
        Screen::Feature(_) => view! { <FeatureScreen/> }.into_any(),
    })
}

/// Asks for a name, and then leads to the place where one begins: there is nothing to do at the start itself.
/// Whoever came by a deeper link stays where it led.
#[component]
fn WelcomeScreen() -> impl IntoView {
    let address = use_address();
    let destination = move || match untrack(|| address.path()) {
        path if path == START => features::home().unwrap_or(START).to_owned(),
        path => path,
    };
    view! { <WelcomePanel second_window=destination() on_done=move |_: String| address.go(&destination())/> }
}

/// The page of whichever feature claims the path.
#[component]
fn FeatureScreen() -> impl IntoView {
    let address = use_address();
    let place = Memo::new(move |_| {
        let path = address.path();
        features::ALL.iter().position(|feature| (feature.claims)(&path))
    });
    reactive(move || match place.get() {
        Some(place) => (features::ALL[place].view)(),
        None => view! { <NotFound/> }.into_any(),
    })
}

#[component]
fn Unreachable(problem: Problem) -> impl IntoView {
    let me = use_account();
    ask_now_and_then(me);
    let (heading, advice) = match problem.code {
        ErrorCode::Unavailable => (
            "Can't reach the server",
            "Check that your device is online. It will be tried again by itself.".to_owned(),
        ),
        _ => ("The page can't start", problem_text(&problem)),
    };
    view! {
        <section class="panel">
            <Heading text=heading/>
            <p class="lead">{advice}</p>
            <button id="retry" class="button" type="button" on:click=move |_| me.ask()>"Retry"</button>
        </section>
    }
}

/// Asks who is signed in until there is an answer, for as long as the calling component lives.
fn ask_now_and_then(me: Account) {
    let timer = set_interval_with_handle(move || me.ask_again(), ASK_AGAIN);
    let online = window_event_listener_untyped("online", move |_| me.ask_again());
    on_cleanup(move || {
        timer.iter().for_each(|timer| timer.clear());
        online.remove();
    });
}

#[component]
fn NotFound() -> impl IntoView {
    view! {
        <section class="panel">
            <Heading id="not-found" text="CurrentScreen not found"/>
            <p class="lead">"Check the address, or go back to the start."</p>
            <a class="button" href=START>"Go to the start"</a>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_signed_out_is_told_what_was_not_sent() {
        assert_eq!(signed_out(0), "You've been signed out. Enter a name to continue.");
        assert_eq!(
            signed_out(1),
            "You've been signed out. One message was not sent. Enter a name to continue."
        );
        assert!(signed_out(7).contains("7 messages were not sent."));
    }
}
