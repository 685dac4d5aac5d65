//! `Conversation`: the messages of a room. Scrolling up loads older ones; new ones do not scroll the reader away.
//!
//! Another message costs the same in a room with 20 messages and with 2,000: only its block is compared and laid out
//! again, and blocks out of sight are not rendered by the browser at all.

use std::cell::RefCell;

use leptos::prelude::*;
use shared::{Key, Seq, UserId};

use super::messages::{
    AnnouncementCursor, Row, RowView, UnsentActions, announcement, rows_of, rows_of_pending,
};
use super::presence::Typing;
use super::rooms::use_rooms;
use super::scrolling::{OlderMessages, RoomVisit, Scroller, TimelineTop};
use super::timeline::Timeline;
use super::writing::COMPOSER;
use crate::account::use_account;
use crate::realtime::{LoadState, TopicReader};
use crate::ui::{Icon, Reactive, focus_on, has_fine_pointer, icons, reactive, time, use_announcer};

/// The messages that are kept loaded while the user is at the end; older ones are loaded while they are read.
const MESSAGES_KEPT: usize = 500;
/// The most messages that are loaded before the oldest are forgotten.
const MESSAGES_MAX: usize = 600;

/// The id of the list.
const TIMELINE: &str = "timeline";

/// The messages of the room, and below them the pending ones.
#[component]
pub(super) fn Conversation(
    room: String,
    reader: TopicReader<Timeline>,
    scroller: Scroller,
    typing: RwSignal<Typing>,
    /// Called with the key of an unsent message that the user wants to edit.
    edit: Callback<Key>,
) -> impl IntoView {
    let label = format!("Messages in {room}");
    let account = use_account();
    let my_id = Memo::new(move |_| account.identity().map(|me| me.id));
    let older = OlderMessages::new(reader, scroller);
    let visit = RoomVisit::begin(room.clone(), my_id, reader, scroller, older);
    follow_timeline(reader, my_id, scroller, visit, typing, older);
    let on_scroll = move |_| {
        scroller.on_scroll();
        older.pull_near_top();
    };
    let actions = UnsentActions {
        retry: Callback::new(move |key| reader.retry(&key)),
        edit,
        discard: Callback::new(move |key| drop(reader.discard(&key))),
    };
    let blocks = Memo::new(move |_| reader.projection.with(Timeline::block_numbers));
    let new_from = visit.new_from();
    view! {
        <div class="timeline-frame">
            <div
                id=TIMELINE class="timeline" tabindex="0" role="region" aria-label=label
                node_ref=scroller.list on:scroll=on_scroll
            >
                <div class="timeline-content" node_ref=scroller.content>
                    <TimelineTop room older/>
                    <div class="messages">
                        <For each=move || blocks.get() key=|number| *number let:number>
                            <BlockView number reader my_id new_from scroller actions/>
                        </For>
                        <Rows rows=pending_rows(reader) actions/>
                    </div>
                </div>
            </div>
            <JumpToEnd scroller/>
        </div>
    }
}

/// The rows of one block. Once its height is known, the browser need not render it while it is out of sight.
#[component]
fn BlockView(
    number: u64,
    reader: TopicReader<Timeline>,
    my_id: Memo<Option<UserId>>,
    new_from: Memo<Option<Seq>>,
    scroller: Scroller,
    actions: UnsentActions,
) -> impl IntoView {
    let block = Memo::new(move |_| reader.projection.with(|timeline| timeline.block(number)));
    let rows = reactive(move || match (block.get(), my_id.get()) {
        (Some((above, block)), Some(me)) => rows_of(above, &block, new_from.get(), &me, time::local_day),
        _ => Vec::new(),
    });
    let is_measured = RwSignal::new(false);
    Effect::new(reactive(move || {
        scroller.width.track();
        is_measured.set(false);
        // The next frame lays the block out; its height is known in the one after.
        let set_measured = move || {
            is_measured.try_set(true);
        };
        request_animation_frame(move || request_animation_frame(set_measured));
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

fn pending_rows(reader: TopicReader<Timeline>) -> Reactive<Vec<Row>> {
    let account = use_account();
    let above = Memo::new(move |_| reader.projection.with(|timeline| timeline.last().cloned()));
    reactive(move || {
        let Some(me) = account.identity() else { return Vec::new() };
        rows_of_pending(above.get(), &reader.pending_posts.read(), &me, time::local_day)
    })
}

/// The button that scrolls to the end, with the number of new messages there.
#[component]
fn JumpToEnd(scroller: Scroller) -> impl IntoView {
    let jump = move |_| {
        scroller.to_end();
        // The button disappears. On a touch screen, focusing the composer would open the keyboard.
        focus_on(if has_fine_pointer() { COMPOSER } else { TIMELINE });
    };
    let label = move || reactive(move || jump_label(scroller.missed.get()));
    reactive(move || {
        (!scroller.is_at_end.get()).then(|| {
            view! {
                <button class="jump" type="button" on:click=jump><Icon path=icons::DOWN/> {label()}</button>
            }
        })
    })
}

/// Follows the timeline: announces the messages of others, counts those below the screen, and forgets those far above
/// the end.
fn follow_timeline(
    reader: TopicReader<Timeline>,
    my_id: Memo<Option<UserId>>,
    scroller: Scroller,
    visit: RoomVisit,
    typing: RwSignal<Typing>,
    older: OlderMessages,
) {
    let announcer = use_announcer();
    let cursor = RefCell::new(AnnouncementCursor::default());
    Effect::new(reactive(move || {
        let is_ready = reader.load_state.get() == LoadState::Ready;
        let timeline = reader.projection.read();
        request_animation_frame(move || older.pull_near_top());
        let Some(me) = my_id.get_untracked() else { return };
        let new_messages = cursor.borrow_mut().advance(&timeline, is_ready, &me);
        if !new_messages.is_empty() {
            announcer.say(announcement(&new_messages));
            scroller.add_missed(new_messages.len());
            if typing.with_untracked(Typing::is_anyone) {
                typing.update(|typing| {
                    for message in &new_messages {
                        typing.remove(&message.author.id);
                    }
                });
            }
        }
        let forget_before = timeline.forgettable_before(MESSAGES_KEPT, MESSAGES_MAX);
        drop(timeline);
        if let Some(seq) = forget_before
            && visit.has_arrived()
            && scroller.is_at_end.get_untracked()
        {
            reader.forget_before(seq);
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
