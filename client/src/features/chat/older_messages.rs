//! `OlderMessages`: gets the messages before those that are here, and [`Top`], what stands above the first one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Seq;

use super::path_of;
use super::scroller::Scroller;
use super::timeline::Timeline;
use crate::realtime::{LoadState, TopicReader, use_realtime};
use crate::ui::{problem_text, reactive};

/// Somebody who comes back is brought to where they were when it is no more messages away than this.
const BACK_MAX: u64 = 2_000;

/// The way back into the history of a room. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct OlderMessages {
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    load_state: RwSignal<LoadState>,
}

impl OlderMessages {
    /// Nothing is asked for yet.
    pub(super) fn new(reader: TopicReader<Timeline>, scroller: Scroller) -> OlderMessages {
        OlderMessages { reader, scroller, load_state: RwSignal::new(LoadState::Ready) }
    }

    /// Asks for a page when the reader comes near the top. One that failed is not asked for again before a person
    /// says so.
    pub(super) fn pull_near_top(self) {
        let is_idle = self.load_state.try_get_untracked() == Some(LoadState::Ready);
        if is_idle && self.scroller.is_near_top() && self.reader.has_older.get_untracked() {
            self.pull();
        }
    }

    /// Asks for pages until the message is here, unless it is too far back. Returns when nothing more comes.
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

    /// Asks for a page and puts it in front. Returns whether there was one.
    async fn pull_page(self) -> bool {
        self.load_state.try_set(LoadState::Loading);
        let (page, then) = match self.reader.pull_older().await {
            Ok(page) => (page, LoadState::Ready),
            Err(problem) => (None, LoadState::Failed(problem)),
        };
        let is_page = page.is_some();
        self.scroller.hold(move || {
            self.load_state.try_set(then);
            if let Some(page) = page {
                self.reader.apply_older(page);
            }
        });
        is_page
    }
}

/// The part above the first message.
#[component]
pub(super) fn Top(room: String, older: OlderMessages) -> impl IntoView {
    let (realtime, OlderMessages { reader, load_state, .. }) = (use_realtime(), older);
    let href = path_of(&room);
    let words = reactive(move || {
        let nothing_read = reader.projection.with(Timeline::is_empty);
        let is_empty = nothing_read && reader.pending_posts.read().is_empty();
        match (reader.load_state.get(), load_state.get()) {
            (LoadState::Loading | LoadState::Failed(_), _) if nothing_read && realtime.is_away() => {
                "Messages will appear once you're connected.".into()
            }
            (LoadState::Loading, _) if nothing_read => "Loading messages…".into(),
            (LoadState::Failed(_), _) if nothing_read => String::new(),
            _ if is_empty => "No messages yet. Say hello.".into(),
            (_, LoadState::Loading) => "Loading older messages…".into(),
            (_, LoadState::Failed(problem)) => problem_text(&problem),
            _ if reader.has_older.get() => String::new(),
            _ => format!("This is the start of #{room}."),
        }
    });
    let more = reactive(move || {
        let is_empty = reader.projection.with(Timeline::is_empty) && reader.pending_posts.read().is_empty();
        if is_empty && reader.load_state.get() == LoadState::Ready {
            let href = href.clone();
            return view! { <a href=href target="_blank" rel="noopener">"Open a second window"</a> }
                .into_any();
        }
        match reader.has_older.get() && load_state.get() != LoadState::Loading {
            false => ().into_any(),
            true => view! {
                <button class="button quiet" type="button" on:click=move |_| older.pull()>
                    "OlderMessages messages"
                </button>
            }
            .into_any(),
        }
    });
    view! { <div class="timeline-top"><p role="status">{words}</p> {more}</div> }
}
