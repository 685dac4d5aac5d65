//! Browser events that concern the connection: the network, the visibility of the tab, and leaving and returning.

use std::rc::Rc;

use leptos::prelude::{document, window_event_listener_untyped};
use shared::Input;

use super::socket::Socket;

/// Passes the window's lifecycle events to the socket.
pub(super) fn listen_to_page_events(socket: &Rc<Socket>) {
    let on = |name: &str, act: fn(&Rc<Socket>)| {
        let socket = socket.clone();
        window_event_listener_untyped(name, move |_| act(&socket));
    };
    on("online", |socket| socket.input(Input::Online(true)));
    on("offline", |socket| socket.input(Input::Online(false)));
    on("visibilitychange", |socket| socket.input(Input::Visible(!document().hidden())));
    // Browsers keep no document with an open socket in the back/forward cache: close on leaving, reopen on return.
    on("pagehide", |socket| socket.input(Input::Stop));
    on("pageshow", |socket| {
        if socket.is_started.get() {
            // No event told what happened to the network in between.
            socket.input(Input::Online(true));
            socket.input(Input::Start);
        }
    });
}
