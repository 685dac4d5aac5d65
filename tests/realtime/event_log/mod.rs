//! The contract of `EventLog`: one suite for every implementation. Your own back end is finished once it passes.
//!
//! To add one, implement `Backend` for it here, and add a line with `contract!`.

mod append;
mod read;

use std::sync::Arc;

use async_trait::async_trait;
use realtime::{AppendError, Appended, Draft, EventLog, Outcome, Range};
use server::storage::{Location, NewEpoch, Storage};
use shared::{EventPage, Identity, Key, Part, Payload, UserId};
use tempfile::TempDir;

use crate::support::{MemoryLog, probe};

type SharedLog = Arc<dyn EventLog>;
type Appends = Vec<Result<Appended, AppendError>>;

/// Storage that keeps a log while no process has it open.
#[async_trait]
trait Backend {
    async fn open(&self, new_epoch: NewEpoch) -> SharedLog;
}

struct Sqlite(TempDir);

#[async_trait]
impl Backend for Sqlite {
    async fn open(&self, new_epoch: NewEpoch) -> SharedLog {
        let file = Location::of_file(&self.0.path().join("log.db")).unwrap();
        Storage::open(&file, new_epoch).await.unwrap().log
    }
}

#[async_trait]
impl Backend for MemoryLog {
    async fn open(&self, new_epoch: NewEpoch) -> SharedLog {
        Arc::new(self.reopen(new_epoch))
    }
}

/// Instantiates the suite for one implementation.
macro_rules! contract {
    ($name:ident: $backend:expr) => {
        mod $name {
            contract! { $backend; append:
                seqs_begin_at_one_and_have_no_gaps
                a_batch_is_numbered_in_its_order_for_each_topic
                a_bad_draft_fails_alone
                the_same_key_gives_the_first_event_again
                the_same_key_twice_in_one_batch_is_one_event
                the_same_key_for_something_else_is_refused
                a_key_counts_for_one_author_and_one_topic
                appends_at_the_same_time_get_different_seqs
                trying_to_write_changes_nothing_that_is_read
            }
            contract! { $backend; read:
                after_and_before_and_newest_give_their_range
                a_page_is_bounded_in_bytes_and_keeps_the_end_that_was_asked_for
                a_void_position_gives_the_newest_page
                a_page_is_one_snapshot
                an_empty_topic_has_head_zero
                heads_list_all_topics_with_events
                payloads_are_read_back_exactly
                reopening_keeps_everything
                a_new_epoch_begins_only_when_asked_for
            }
        }
    };
    ($backend:expr; $part:ident: $($promise:ident)*) => { $(
        #[tokio::test]
        async fn $promise() {
            super::$part::$promise(&$backend).await;
        }
    )* };
}

contract!(sqlite: crate::realtime::event_log::Sqlite(tempfile::TempDir::new().unwrap()));
contract!(memory: crate::support::MemoryLog::new());

fn draft(topic: &str, author: &str, key: &str, text: &str) -> Draft {
    Draft {
        topic: probe(topic),
        author: Identity { id: UserId(author.into()), name: author.to_owned().try_into().unwrap() },
        key: Key::try_from(key).unwrap(),
        at: 1_795_357_200_123,
        payload: Payload::of(&text).unwrap(),
    }
}

/// Returns the result of each draft: its seq and outcome, or its error.
fn outcomes(appends: &Appends) -> Vec<Result<(u64, Outcome), AppendError>> {
    let result = |append: &Appended| (append.event.seq.0, append.outcome);
    appends.iter().map(|append| append.as_ref().map(result).map_err(Clone::clone)).collect()
}

async fn append(log: &SharedLog, drafts: Vec<Draft>) -> Vec<Result<(u64, Outcome), AppendError>> {
    outcomes(&log.append(drafts).await)
}

/// Opens a log whose topic `a` has this many events, with the keys `k1`, `k2`, ….
async fn filled(backend: &impl Backend, events: u64) -> SharedLog {
    let log = backend.open(NewEpoch::Keep).await;
    let drafts = (1..=events).map(|number| draft("a", "ada", &format!("k{number}"), "text"));
    assert!(log.append(drafts.collect()).await.iter().all(Result::is_ok));
    log
}

async fn read(log: &SharedLog, part: Part, limit: u32) -> EventPage {
    log.read(&probe("a"), Range { part, epoch: None, limit }).await.unwrap()
}

fn seqs(page: &EventPage) -> Vec<u64> {
    page.events.iter().map(|event| event.seq.0).collect()
}
