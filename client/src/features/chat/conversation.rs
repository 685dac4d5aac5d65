//! `Conversation`: the lines of a room. Older ones come while scrolling up, new ones without pulling the
//! reader away.

use std::cell::Cell;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Key;

use super::messages::{OnFailed, RowView};
use super::rooms::use_rooms;
use super::rows::{Row, rows};
use super::scroller::Scroller;
use super::timeline::{Line, Timeline};
use super::typing::Typing;
use crate::identity::use_me;
use crate::realtime::{Reading, TopicReader};
use crate::ui::{Icon, IconOf, live, time, use_announcer};

/// So many lines stay in the page while it is open and nobody scrolls up; more only while older ones are read.
const LINES_KEPT: usize = 500;
/// So many more may gather before the oldest are let go.
const LINES_SLACK: usize = 100;
/// More lines at once are announced by their number.
const SPOKEN_MAX: usize = 3;

/// What was said in the room, and what is about to be.
#[component]
pub(super) fn Conversation(
    room: String,
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    typing: RwSignal<Typing>,
    /// Takes a line that failed to where it can be written anew.
    edit: Callback<Key>,
) -> impl IntoView {
    let label = format!("Messages in {room}");
    let (me, now) = (use_me(), use_rooms().now);
    let rows = Memo::new(move |_| {
        let Some(me) = me.identity() else { return Vec::new() };
        rows(&reader.projection.read(), &reader.posts.read(), &me, time::local_day)
    });
    let older = RwSignal::new(Reading::Ready);
    let want_older = move || {
        let is_idle = older.try_get_untracked() == Some(Reading::Ready);
        if is_idle && scroller.is_near_top() && reader.has_older.get_untracked() {
            pull_older(reader, scroller, older);
        }
    };
    follow(rows, reader, scroller, typing, want_older);
    let on_scroll = move |_| {
        scroller.on_scroll();
        want_older();
    };
    let retry = Callback::new(move |key| reader.retry(&key));
    let discard = Callback::new(move |key| drop(reader.discard(&key)));
    let on_failed = OnFailed { retry, edit, discard };
    let jump = live(move || match scroller.is_at_end.get() {
        true => ().into_any(),
        false => view! {
            <button class="jump" type="button" on:click=move |_| scroller.to_end()>
                <Icon of=IconOf::Down/> {live(move || jump_label(scroller.missed.get()))}
            </button>
        }
        .into_any(),
    });
    view! {
        <div class="timeline-frame">
            <div
                id="timeline" class="timeline" tabindex="0" role="group" aria-label=label
                node_ref=scroller.list on:scroll=on_scroll
            >
                <Top room reader scroller older/>
                <ol class="messages">
                    <For each=move || rows.get() key=Row::id let:row><RowView row now on_failed/></For>
                </ol>
            </div>
            {jump}
        </div>
    }
}

/// What stands above the first line.
#[component]
fn Top(
    room: String,
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    older: RwSignal<Reading>,
) -> impl IntoView {
    let pull = move |_| pull_older(reader, scroller, older);
    let words = live(move || {
        let is_empty = reader.projection.with(Timeline::is_empty) && reader.posts.read().is_empty();
        match (reader.reading.get(), older.get()) {
            (Reading::Loading, _) if is_empty => "Loading messages…".into(),
            (Reading::Trouble(_), _) if is_empty => String::new(),
            _ if is_empty => "Nothing was said here yet. The first line is yours.".into(),
            (_, Reading::Loading) => "Loading older messages…".into(),
            (_, Reading::Trouble(problem)) => problem.detail,
            _ if reader.has_older.get() => String::new(),
            _ => format!("This is where {room} begins."),
        }
    });
    let button = live(move || match reader.has_older.get() && older.get() != Reading::Loading {
        false => ().into_any(),
        true => view! { <button class="button quiet" type="button" on:click=pull>"Older messages"</button> }
            .into_any(),
    });
    view! { <div class="timeline-top"><p role="status">{words}</p> {button}</div> }
}

fn pull_older(reader: TopicReader<Timeline>, scroller: Scroller, older: RwSignal<Reading>) {
    older.set(Reading::Loading);
    spawn_local(async move {
        let (page, then) = match reader.pull_older().await {
            Ok(page) => (page, Reading::Ready),
            // Not tried again before a person says so.
            Err(problem) => (None, Reading::Trouble(problem)),
        };
        scroller.hold(move || {
            older.try_set(then);
            if let Some(page) = page {
                reader.apply_older(page);
            }
        });
    });
}

/// With every change of what is shown: stays at the end, announces what others say, and counts what a reader
/// who has scrolled up does not see.
fn follow(
    rows: Memo<Vec<Row>>,
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    typing: RwSignal<Typing>,
    want_older: impl Fn() + Copy + Send + 'static,
) {
    let (me, announcer) = (use_me(), use_announcer());
    let seen = Cell::new(None);
    Effect::new(live(move || {
        rows.track();
        scroller.follow();
        request_animation_frame(want_older);
        if reader.reading.get() == Reading::Loading {
            return seen.set(None);
        }
        let timeline = reader.projection.read_untracked();
        if let (Some(seen), Some(me)) = (seen.get(), untrack(|| me.identity())) {
            let news = timeline.after(seen).map(|line| &**line).filter(|line| line.author.id != me.id);
            let news: Vec<&Line> = news.collect();
            if !news.is_empty() {
                announcer.say(in_words(&news));
                scroller.miss(news.len());
                typing.update(|typing| news.iter().for_each(|line| typing.stop(&line.author.id)));
            }
        }
        let kept_from = timeline.start_of_newest(LINES_KEPT);
        let is_long = timeline.start_of_newest(LINES_KEPT + LINES_SLACK).is_some();
        seen.set(Some(timeline.newest()));
        drop(timeline);
        if is_long && scroller.is_at_end.get_untracked() {
            kept_from.iter().for_each(|seq| reader.forget_before(*seq));
        }
    }));
}

fn in_words(news: &[&Line]) -> String {
    if news.len() > SPOKEN_MAX {
        return format!("{} new messages", news.len());
    }
    let spoken: Vec<String> =
        news.iter().map(|line| format!("{}: {}", line.author.name, line.text)).collect();
    spoken.join("\n")
}

fn jump_label(missed: usize) -> String {
    match missed {
        0 => "Latest messages".into(),
        1 => "1 new message".into(),
        many => format!("{many} new messages"),
    }
}
