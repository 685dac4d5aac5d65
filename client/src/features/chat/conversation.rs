//! `Conversation`: the messages of a room. OlderMessages ones come while scrolling up, new ones without pulling the
//! reader away.
//!
//! One more message costs the same in a room with 20 messages and with 2,000: its block alone is compared and laid out
//! anew, and the blocks that are out of sight are not drawn at all.

use std::cell::Cell;

use leptos::prelude::*;
use shared::{Key, Seq, UserId};

use super::announcements::{AnnouncementCursor, aloud};
use super::composer::COMPOSER;
use super::live_rooms::use_rooms;
use super::older_messages::{OlderMessages, Top};
use super::row_view::{RowView, UnsentActions};
use super::rows::{Row, ShownBlock, rows_of, rows_of_pending};
use super::scroller::Scroller;
use super::timeline::Timeline;
use super::typing::Typing;
use super::visit::RoomVisit;
use crate::account::use_account;
use crate::realtime::{LoadState, TopicReader};
use crate::ui::{Icon, IconName, Reactive, focus_on, has_fine_pointer, reactive, time, use_announcer};

/// So many messages stay in the page while it is open and nobody scrolls up; more only while older ones are read.
const MESSAGES_KEPT: usize = 500;
/// No more than this gather before the oldest are let go.
const MESSAGES_MAX: usize = 600;

/// Id of the list.
const TIMELINE: &str = "timeline";

/// What was said in the room, and what is about to be.
#[component]
pub(super) fn Conversation(
    room: String,
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    typing: RwSignal<Typing>,
    /// Takes a message that failed to where it can be written anew.
    edit: Callback<Key>,
) -> impl IntoView {
    let label = format!("Messages in {room}");
    let me = use_account();
    let my_id = Memo::new(move |_| me.identity().map(|me| me.id));
    let older = OlderMessages::new(reader, scroller);
    let visit = RoomVisit::begin(room.clone(), my_id, reader, scroller, older);
    follow(reader, my_id, scroller, visit, typing, older);
    let on_scroll = move |_| {
        scroller.on_scroll();
        older.pull_near_top();
    };
    let retry = Callback::new(move |key| reader.retry(&key));
    let discard = Callback::new(move |key| drop(reader.discard(&key)));
    let actions = UnsentActions { retry, edit, discard };
    let blocks = Memo::new(move |_| reader.projection.with(Timeline::blocks));
    let new_from = visit.new_from();
    view! {
        <div class="timeline-frame">
            <div
                id=TIMELINE class="timeline" tabindex="0" role="region" aria-label=label
                node_ref=scroller.list on:scroll=on_scroll
            >
                <div class="timeline-content" node_ref=scroller.content>
                    <Top room older/>
                    <div class="messages">
                        <For each=move || blocks.get() key=|number| *number let:number>
                            <BlockView number reader my_id new_from scroller actions/>
                        </For>
                        <Rows rows=unsettled(reader) actions/>
                    </div>
                </div>
            </div>
            <Jump scroller/>
        </div>
    }
}

/// Neighbouring messages. Once their height is known, the browser need not draw them while they are out of sight.
#[component]
fn BlockView(
    number: u64,
    reader: TopicReader<Timeline>,
    my_id: Memo<Option<UserId>>,
    new_from: Memo<Option<Seq>>,
    scroller: Scroller,
    actions: UnsentActions,
) -> impl IntoView {
    let shown = Memo::new(move |_| {
        let (above, block) = reader.projection.with(|timeline| timeline.block(number))?;
        Some(ShownBlock { above, block, new_from: new_from.get() })
    });
    let rows = reactive(move || match (shown.get(), my_id.get()) {
        (Some(shown), Some(me)) => rows_of(shown, &me, time::local_day),
        _ => Vec::new(),
    });
    let is_measured = RwSignal::new(false);
    Effect::new(reactive(move || {
        scroller.width.track();
        is_measured.set(false);
        // In the frame that comes first it is laid out, in the one after it has been.
        let measured = move || {
            is_measured.try_set(true);
        };
        request_animation_frame(move || request_animation_frame(measured));
    }));
    view! { <div class="block" class:measured=is_measured><Rows rows actions/></div> }
}

#[component]
fn Rows(rows: Reactive<Vec<Row>>, actions: UnsentActions) -> impl IntoView {
    let now = use_rooms().now;
    view! {
        <ol>
            <For each=rows key=Row::id let:row><RowView row now actions/></For>
        </ol>
    }
}

/// The rows of what was written here and has not come back yet.
fn unsettled(reader: TopicReader<Timeline>) -> Reactive<Vec<Row>> {
    let me = use_account();
    let above = Memo::new(move |_| reader.projection.with(|timeline| timeline.last().cloned()));
    reactive(move || {
        let Some(me) = me.identity() else { return Vec::new() };
        rows_of_pending(above.get(), &reader.pending_posts.read(), &me, time::local_day)
    })
}

/// Leads to the end, and tells what is new there.
#[component]
fn Jump(scroller: Scroller) -> impl IntoView {
    let jump = move |_| {
        scroller.to_end();
        // This button is gone then. On a touch screen the composer would bring up the keyboard.
        focus_on(if has_fine_pointer() { COMPOSER } else { TIMELINE });
    };
    reactive(move || match scroller.is_at_end.get() {
        true => ().into_any(),
        false => view! {
            <button class="jump" type="button" on:click=jump>
                <Icon name=IconName::Down/> {reactive(move || jump_label(scroller.missed.get()))}
            </button>
        }
        .into_any(),
    })
}

/// With every change of what is known: announces what others say, counts what a reader who has scrolled up does not
/// see, and lets go of what is far above the end.
fn follow(
    reader: TopicReader<Timeline>,
    my_id: Memo<Option<UserId>>,
    scroller: Scroller,
    visit: RoomVisit,
    typing: RwSignal<Typing>,
    older: OlderMessages,
) {
    let (announcer, heard) = (use_announcer(), Cell::new(AnnouncementCursor::default()));
    Effect::new(reactive(move || {
        let is_ready = reader.load_state.get() == LoadState::Ready;
        let timeline = reader.projection.read();
        request_animation_frame(move || older.pull_near_top());
        let Some(me) = my_id.get_untracked() else { return };
        let mut state = heard.get();
        let news = state.news(&timeline, is_ready, &me);
        heard.set(state);
        if !news.is_empty() {
            announcer.say(aloud(&news));
            scroller.miss(news.len());
            if typing.with_untracked(Typing::is_anyone) {
                typing.update(|typing| news.iter().for_each(|message| typing.stop(&message.author.id)));
            }
        }
        let to_forget = timeline.to_forget(MESSAGES_KEPT, MESSAGES_MAX);
        drop(timeline);
        if visit.is_over() && scroller.is_at_end.get_untracked() {
            to_forget.iter().for_each(|seq| reader.forget_before(*seq));
        }
    }));
}

fn jump_label(missed: usize) -> String {
    match missed {
        0 => "Latest messages".into(),
        1 => "1 new message".into(),
        many => format!("{many} new messages"),
    }
}
