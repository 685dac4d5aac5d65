//! The contract of `EventLog::append`: numbering, and idempotency keys.

use realtime::{AppendError, Draft, HeadsOf, Outcome};
use server::storage::NewEpoch;
use shared::{Part, Seq};

use super::{Backend, append, draft, filled, outcomes, read, seqs};

pub(super) async fn seqs_begin_at_one_and_have_no_gaps(backend: &impl Backend) {
    let log = backend.open(NewEpoch::Keep).await;
    for number in 1..=5 {
        let appended = append(&log, vec![draft("a", "ada", &format!("k{number}"), "x")]).await;
        assert_eq!(appended, [Ok((number, Outcome::New))]);
    }
    assert_eq!(seqs(&read(&log, Part::Newest, 100).await), [1, 2, 3, 4, 5]);
}

pub(super) async fn a_batch_is_numbered_in_its_order_for_each_topic(backend: &impl Backend) {
    let log = backend.open(NewEpoch::Keep).await;
    let names = ["a", "b", "a", "a", "b"];
    let drafts = names.iter().enumerate().map(|(place, name)| draft(name, "ada", &format!("k{place}"), "x"));
    let appended = log.append(drafts.collect()).await;
    let places: Vec<u64> = outcomes(&appended).into_iter().map(|outcome| outcome.unwrap().0).collect();
    assert_eq!(places, [1, 1, 2, 3, 2]);
    let topics = appended.iter().map(|append| append.as_ref().unwrap().event.topic.name().to_owned());
    assert_eq!(topics.collect::<Vec<_>>(), names, "the answers are in the order of the drafts");
}

pub(super) async fn a_bad_draft_fails_alone(backend: &impl Backend) {
    let log = filled(backend, 1).await;
    let batch = vec![
        draft("a", "ada", "k2", "good"),
        draft("a", "ada", "k1", "other"),
        draft("a", "ada", "k3", "good"),
    ];
    let appended = append(&log, batch).await;
    assert_eq!(appended, [Ok((2, Outcome::New)), Err(AppendError::KeyReused), Ok((3, Outcome::New))]);
    assert_eq!(seqs(&read(&log, Part::Newest, 100).await), [1, 2, 3], "a refusal leaves no gap");
}

pub(super) async fn the_same_key_gives_the_first_event_again(backend: &impl Backend) {
    let log = filled(backend, 3).await;
    let again = log.append(vec![Draft { at: 9, ..draft("a", "ada", "k2", "text") }]).await;
    assert_eq!(outcomes(&again), [Ok((2, Outcome::Replayed))]);
    assert_eq!(again[0].as_ref().unwrap().event, read(&log, Part::Newest, 100).await.events[1]);
    assert_eq!(read(&log, Part::Newest, 1).await.head, Seq(3));
}

pub(super) async fn the_same_key_twice_in_one_batch_is_one_event(backend: &impl Backend) {
    let log = backend.open(NewEpoch::Keep).await;
    let twin = draft("a", "ada", "k", "x");
    let appended = append(&log, vec![twin.clone(), twin.clone(), draft("a", "ada", "k", "y"), twin]).await;
    let replayed = Ok((1, Outcome::Replayed));
    assert_eq!(appended, [Ok((1, Outcome::New)), replayed.clone(), Err(AppendError::KeyReused), replayed]);
    assert_eq!(read(&log, Part::Newest, 1).await.head, Seq(1));
}

pub(super) async fn the_same_key_for_something_else_is_refused(backend: &impl Backend) {
    let log = filled(backend, 1).await;
    assert_eq!(append(&log, vec![draft("a", "ada", "k1", "other")]).await, [Err(AppendError::KeyReused)]);
    assert_eq!(read(&log, Part::Newest, 1).await.head, Seq(1));
}

pub(super) async fn a_key_counts_for_one_author_and_one_topic(backend: &impl Backend) {
    let log = filled(backend, 1).await;
    let others = vec![draft("a", "grace", "k1", "text"), draft("b", "ada", "k1", "text")];
    assert_eq!(append(&log, others).await, [Ok((2, Outcome::New)), Ok((1, Outcome::New))]);
}

pub(super) async fn appends_at_the_same_time_get_different_seqs(backend: &impl Backend) {
    let log = backend.open(NewEpoch::Keep).await;
    let appends = (0..20).map(|number| {
        let log = log.clone();
        tokio::spawn(async move { append(&log, vec![draft("a", "ada", &format!("k{number}"), "x")]).await })
    });
    let mut given = Vec::new();
    for appended in appends.collect::<Vec<_>>() {
        given.push(appended.await.unwrap()[0].clone().unwrap().0);
    }
    given.sort();
    assert_eq!(given, (1..=20).collect::<Vec<_>>());
}

pub(super) async fn trying_to_write_changes_nothing_that_is_read(backend: &impl Backend) {
    let log = filled(backend, 2).await;
    let before = read(&log, Part::Newest, 100).await;
    for _ in 0..2 {
        log.try_write().await.unwrap();
        assert_eq!(read(&log, Part::Newest, 100).await, before);
    }
    let all = log.heads(HeadsOf::Newest(before.topic.namespace(), 10)).await.unwrap();
    assert_eq!(all.heads.len(), 1, "{all:?}");
}
