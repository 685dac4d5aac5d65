//! The app: what every page has around it, which page is shown, and what the parts have to do with each
//! other.

use std::cell::Cell;

use leptos::prelude::*;
use shared::{Problem, Status, UserId};

use crate::address::{Address, use_address};
use crate::browser::Storage;
use crate::features;
use crate::identity::{Me, Naming, SignIn, UserMenu, use_me};
use crate::realtime::Realtime;
use crate::ui::{
    APP_NAME, Announcer, AnnouncerRegion, ConnectionBadge, Heading, Logo, NewVersion, NoticeRegion, Notices,
    PageTitle, live, panic,
};

/// Starts the page, in place of what was shown while it loaded.
pub fn mount() {
    panic::install_hook();
    if let Some(loading) = document().get_element_by_id("boot") {
        loading.remove();
    }
    leptos::mount::mount_to_body(App);
}

/// Everything.
#[component]
pub fn App() -> impl IntoView {
    Address::provide();
    PageTitle::provide();
    Announcer::provide();
    let notices = Notices::provide();
    let me = Me::provide();
    let unkept =
        move || notices.warn("This browser keeps nothing for us: stay on the page until all is sent.");
    let realtime = Realtime::provide(unkept, move || me.ask_again());
    // Somebody else may have signed in while the page was kept for "back", and other tabs cannot tell it then.
    window_event_listener_untyped("pageshow", move |_| me.ask_again());
    follow_sign_in(me, realtime, notices);
    view! {
        <a class="skip-link" href="#main">"Skip to the content"</a>
        <Header realtime/>
        <NewVersion served=realtime.served_build()/>
        <main id="main" tabindex="-1"><Page/></main>
        <NoticeRegion/>
        <AnnouncerRegion/>
    }
}

/// Connected for whoever is signed in, and for nobody else.
fn follow_sign_in(me: Me, realtime: Realtime, notices: Notices) {
    let (sign_in, status) = (me.sign_in(), realtime.status());
    let was_in = Cell::new(false);
    Effect::new(live(move || {
        let sign_in = sign_in.get();
        let was_in = was_in.replace(matches!(sign_in, SignIn::In(_)));
        match &sign_in {
            SignIn::In(person) => realtime.start(person.id.clone()),
            SignIn::Out => {
                // Who signs out here waits for the answer in between.
                if was_in {
                    notices.warn("Your sign-in has ended. Choose a name to go on.");
                }
                realtime.stop();
                // What was begun here is not for the next person's eyes.
                Storage::Tab.clear("duplex:");
            }
            SignIn::Asking | SignIn::Unreachable(_) => {}
        }
    }));
    Effect::new(live(move || {
        if status.get() == Status::SignedOut {
            me.lost();
        }
    }));
}

#[component]
fn Header(realtime: Realtime) -> impl IntoView {
    let sign_in = use_me().sign_in();
    let menu = live(move || match sign_in.get() {
        SignIn::In(person) => view! { <UserMenu person/> }.into_any(),
        _ => ().into_any(),
    });
    view! {
        <header class="header">
            <a class="brand" href="/"><Logo/><span>{APP_NAME}</span></a>
            <ConnectionBadge status=realtime.status() on_reconnect=move |()| realtime.reconnect_now()/>
            {menu}
        </header>
    }
}

/// Which of the four situations a person is in; a new name is not another one.
#[derive(Clone, PartialEq)]
enum Situation {
    Asking,
    Unreachable(Problem),
    Nameless,
    In(UserId),
}

#[component]
fn Page() -> impl IntoView {
    let sign_in = use_me().sign_in();
    let situation = Memo::new(move |_| match sign_in.get() {
        SignIn::Asking => Situation::Asking,
        SignIn::Unreachable(problem) => Situation::Unreachable(problem),
        SignIn::Out => Situation::Nameless,
        SignIn::In(person) => Situation::In(person.id),
    });
    live(move || match situation.get() {
        Situation::Asking => view! { <p class="waiting" role="status">"One moment…"</p> }.into_any(),
        Situation::Unreachable(problem) => view! { <Unreachable problem/> }.into_any(),
        Situation::Nameless => view! { <Naming/> }.into_any(),
        Situation::In(_) => view! { <FeaturePage/> }.into_any(),
    })
}

/// The page of whichever feature claims the path.
#[component]
fn FeaturePage() -> impl IntoView {
    let address = use_address();
    let place = Memo::new(move |_| {
        let path = address.path();
        features::ALL.iter().position(|feature| (feature.claims)(&path))
    });
    live(move || match place.get() {
        Some(place) => (features::ALL[place].view)(),
        None => view! { <NotFound/> }.into_any(),
    })
}

#[component]
fn Unreachable(problem: Problem) -> impl IntoView {
    let me = use_me();
    view! {
        <section class="panel">
            <Heading text="The server cannot be reached"/>
            <p class="lead">{problem.detail}</p>
            <button class="button" type="button" on:click=move |_| me.ask()>"Try again"</button>
        </section>
    }
}

#[component]
fn NotFound() -> impl IntoView {
    view! {
        <section class="panel">
            <Heading id="not-found" text="There is no such page"/>
            <p class="lead">"The address may be mistyped, or what was here has gone."</p>
            <a class="button" href="/">"To the start"</a>
        </section>
    }
}
