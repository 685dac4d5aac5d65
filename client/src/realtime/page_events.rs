//! What the page itself tells the connection: the network, the tab, its own coming and going.

use std::rc::Rc;

use leptos::prelude::window_event_listener_untyped;
use shared::Input;

use super::socket::Socket;
use crate::browser;

/// Listens for as long as the socket is there.
pub(super) fn listen_to_page_events(socket: &Rc<Socket>) {
    let on = |name: &str, act: fn(&Socket)| {
        let socket = Rc::downgrade(socket);
        window_event_listener_untyped(name, move |_| socket.upgrade().iter().for_each(|socket| act(socket)));
    };
    on("online", |socket| socket.input(Input::Online(true)));
    on("offline", |socket| socket.input(Input::Online(false)));
    on("visibilitychange", |socket| socket.input(Input::Visible(!browser::is_hidden())));
    // A page with an open socket is not kept for "back": hang up on leaving, be there again on return.
    on("pagehide", |socket| socket.input(Input::Stop));
    on("pageshow", |socket| {
        if socket.is_wanted() {
            // What happened to the network meanwhile, nobody has told.
            socket.input(Input::Online(true));
            socket.input(Input::Start);
        }
    });
}
