//! `OlderMessages`: loads the messages before the oldest loaded one; and [`TimelineTop`], the view above the first one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Seq;

use super::scroller::Scroller;
use crate::features::chat::paths::path_of;
use crate::features::chat::timeline::Timeline;
use crate::realtime::{LoadState, TopicReader, use_realtime};
use crate::ui::{problem_text, reactive};

/// The most messages that are loaded to bring a returning user back to where they were.
const BACK_MAX: u64 = 2_000;

/// The loading of a room's history. Cheap to copy.
#[derive(Clone, Copy)]
pub struct OlderMessages {
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    load_state: RwSignal<LoadState>,
}

impl OlderMessages {
    /// Creates it without loading anything.
    pub fn new(reader: TopicReader<Timeline>, scroller: Scroller) -> OlderMessages {
        OlderMessages { reader, scroller, load_state: RwSignal::new(LoadState::Ready) }
    }

    /// Pulls a page if the user is near the top. A page that failed is not pulled again unless the user asks for it.
    pub fn pull_near_top(self) {
        let is_idle = self.load_state.try_get_untracked() == Some(LoadState::Ready);
        if is_idle && self.scroller.is_near_top() && self.reader.has_older.get_untracked() {
            self.pull();
        }
    }

    /// Pulls pages until the message is loaded, unless it is too far back. Returns when no more follow.
    pub(super) async fn pull_back_to(self, seq: Seq) {
        let oldest = || self.reader.projection.try_with_untracked(Timeline::oldest).unwrap_or_default();
        if oldest().since(seq) > BACK_MAX {
            return;
        }
        while oldest() > seq && self.pull_page().await {}
    }

    fn pull(self) {
        spawn_local(async move {
            self.pull_page().await;
        });
    }

    /// Pulls a page and applies it. Returns false if there was none.
    async fn pull_page(self) -> bool {
        self.load_state.try_set(LoadState::Loading);
        let (page, load_state) = match self.reader.pull_older().await {
            Ok(page) => (page, LoadState::Ready),
            Err(problem) => (None, LoadState::Failed(problem)),
        };
        let has_page = page.is_some();
        self.scroller.keep_in_place(move || {
            self.load_state.try_set(load_state);
            if let Some(page) = page {
                self.reader.apply_older(page);
            }
        });
        has_page
    }
}

/// The part of the list above the first message: the progress of loading, and a button for older messages.
#[component]
pub fn TimelineTop(room: String, older: OlderMessages) -> impl IntoView {
    let realtime = use_realtime();
    let OlderMessages { reader, load_state, .. } = older;
    let href = path_of(&room);
    let text = reactive(move || {
        let is_nothing_loaded = reader.projection.with(Timeline::is_empty);
        let is_empty = is_nothing_loaded && reader.pending_posts.read().is_empty();
        match (reader.load_state.get(), load_state.get()) {
            (LoadState::Loading | LoadState::Failed(_), _) if is_nothing_loaded && realtime.is_away() => {
                "Messages will appear once you're connected.".into()
            }
            (LoadState::Loading, _) if is_nothing_loaded => "Loading messages…".into(),
            (LoadState::Failed(_), _) if is_nothing_loaded => String::new(),
            _ if is_empty => "No messages yet. Say hello.".into(),
            (_, LoadState::Loading) => "Loading older messages…".into(),
            (_, LoadState::Failed(problem)) => problem_text(&problem),
            _ if reader.has_older.get() => String::new(),
            _ => format!("This is the start of #{room}."),
        }
    });
    let second_window = reactive(move || {
        let is_empty = reader.projection.with(Timeline::is_empty) && reader.pending_posts.read().is_empty();
        let href = href.clone();
        (is_empty && reader.load_state.get() == LoadState::Ready)
            .then(|| view! { <a href=href target="_blank" rel="noopener">"Open a second window"</a> })
    });
    let load = move |_| older.pull();
    let button = reactive(move || {
        (reader.has_older.get() && load_state.get() != LoadState::Loading).then(|| {
            view! { <button class="button quiet" type="button" on:click=load>"Load older messages"</button> }
        })
    });
    view! { <div class="timeline-top"><p role="status">{text}</p> {second_window} {button}</div> }
}
