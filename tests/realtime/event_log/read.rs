//! The contract of `EventLog::read` and `heads`: ranges, snapshots, and the content after a restart.

use realtime::{Draft, HeadsOf, Outcome, Range};
use server::storage::NewEpoch;
use shared::{Epoch, Part, Seq, Topic};

use super::{Backend, append, draft, filled, read, seqs};
use crate::support::probe;

pub(super) async fn after_and_before_and_newest_give_their_range(backend: &impl Backend) {
    let log = filled(backend, 10).await;
    for (part, limit, expected) in [
        (Part::Newest, 3, vec![8, 9, 10]),
        (Part::Newest, 100, (1..=10).collect()),
        (Part::Newest, 0, vec![]),
        (Part::After(Seq(0)), 3, vec![1, 2, 3]),
        (Part::After(Seq(7)), 100, vec![8, 9, 10]),
        (Part::After(Seq(10)), 100, vec![]),
        (Part::After(Seq(3)), 0, vec![]),
        (Part::Before(Seq(8)), 3, vec![5, 6, 7]),
        (Part::Before(Seq(3)), 100, vec![1, 2]),
        (Part::Before(Seq(1)), 100, vec![]),
        (Part::Before(Seq(0)), 100, vec![]),
        (Part::Before(Seq(99)), 2, vec![9, 10]),
    ] {
        let page = read(&log, part, limit).await;
        assert_eq!((seqs(&page), page.head), (expected, Seq(10)), "{part:?}, {limit} at most");
    }
}

pub(super) async fn a_page_is_bounded_in_bytes_and_keeps_the_end_that_was_asked_for(backend: &impl Backend) {
    let log = backend.open(NewEpoch::Keep).await;
    let long = "x".repeat(8_000);
    let drafts = (1..=100).map(|number| draft("a", "ada", &format!("k{number}"), &long));
    assert!(log.append(drafts.collect()).await.iter().all(Result::is_ok));
    for (part, is_kept) in [
        (Part::After(Seq(10)), [11, 12]),
        (Part::Before(Seq(90)), [88, 89]),
        (Part::Newest, [99, 100]),
        (Part::After(Seq(101)), [99, 100]),
    ] {
        let seqs = seqs(&read(&log, part, 100).await);
        assert!((20..=32).contains(&seqs.len()), "{part:?}: {} events of 8 KB", seqs.len());
        assert!(is_kept.iter().all(|seq| seqs.contains(seq)), "{part:?}: {seqs:?}");
        assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{part:?}: {seqs:?}");
    }
}

pub(super) async fn a_void_position_gives_the_newest_page(backend: &impl Backend) {
    let log = filled(backend, 10).await;
    assert_eq!(seqs(&read(&log, Part::After(Seq(11)), 2).await), [9, 10], "beyond the head");
    assert_eq!(seqs(&read(&log, Part::After(Seq(u64::MAX)), 2).await), [9, 10], "far beyond the head");
    let foreign = Epoch::try_from(String::from("another")).unwrap();
    for part in [Part::After(Seq(2)), Part::Before(Seq(4))] {
        let range = Range { part, epoch: Some(foreign.clone()), limit: 2 };
        let page = log.read(&probe("a"), range).await.unwrap();
        assert_eq!(seqs(&page), [9, 10], "{part:?} of another epoch");
        assert_ne!(page.epoch, foreign);
    }
}

pub(super) async fn a_page_is_one_snapshot(backend: &impl Backend) {
    let log = filled(backend, 1).await;
    let writer = {
        let log = log.clone();
        tokio::spawn(async move {
            for number in 2..200 {
                log.append(vec![draft("a", "ada", &format!("k{number}"), "x")]).await;
            }
        })
    };
    while !writer.is_finished() {
        let page = read(&log, Part::Newest, 500).await;
        assert_eq!(page.events.last().unwrap().seq, page.head, "head and events belong to one snapshot");
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

pub(super) async fn an_empty_topic_has_head_zero(backend: &impl Backend) {
    let log = backend.open(NewEpoch::Keep).await;
    for part in [Part::Newest, Part::After(Seq(0)), Part::After(Seq(7)), Part::Before(Seq(7))] {
        let page = read(&log, part, 100).await;
        assert_eq!((page.head, page.events.len()), (Seq::ZERO, 0), "{part:?}");
    }
}

pub(super) async fn heads_list_all_topics_with_events(backend: &impl Backend) {
    let log = filled(backend, 3).await;
    let other_namespace = Draft { topic: Topic::new("probes", "x").unwrap(), ..draft("b", "ada", "k", "x") };
    log.append(vec![draft("b", "ada", "k", "x"), other_namespace]).await;
    let a = probe("a");
    let b = probe("b");
    let unknown = probe("c");

    let heads = log.heads(HeadsOf::Topics(&[a.clone(), unknown])).await.unwrap();
    let known: Vec<_> = heads.heads.iter().filter(|(_, head)| **head > Seq::ZERO).collect();
    assert_eq!(known, [(&a, &Seq(3))]);
    assert_eq!(heads.epoch, read(&log, Part::Newest, 1).await.epoch);

    let all = log.heads(HeadsOf::Newest("probe", 10)).await.unwrap().heads;
    assert_eq!(all.into_iter().collect::<Vec<_>>(), [(a.clone(), Seq(3)), (b.clone(), Seq(1))]);

    for (topic, seq) in [(&b, Seq(2)), (&a, Seq(4))] {
        let at = 1_795_357_300_000 + seq.0 as i64;
        log.append(vec![Draft { at, ..draft(topic.name(), "ada", "later", "x") }]).await;
        let newest = log.heads(HeadsOf::Newest("probe", 1)).await.unwrap().heads;
        assert_eq!(newest.into_iter().collect::<Vec<_>>(), [(topic.clone(), seq)]);
    }
}

pub(super) async fn payloads_are_read_back_exactly(backend: &impl Backend) {
    let log = backend.open(NewEpoch::Keep).await;
    for (number, text) in
        ["", "ü 漢字 🦀 e\u{301}", "\u{0}\u{1f}\\\"</script>", &"x".repeat(100_000)].iter().enumerate()
    {
        let sent = draft("a", "ada", &format!("k{number}"), text);
        log.append(vec![sent.clone()]).await;
        let read = read(&log, Part::Newest, 1).await.events.remove(0);
        assert_eq!(read, sent.into_event(Seq(number as u64 + 1)));
        assert_eq!(read.payload.read::<String>().unwrap(), *text);
    }
}

pub(super) async fn reopening_keeps_everything(backend: &impl Backend) {
    let before = read(&filled(backend, 3).await, Part::Newest, 100).await;
    let log = backend.open(NewEpoch::Keep).await;
    assert_eq!(read(&log, Part::Newest, 100).await, before);
    let appended = append(&log, vec![draft("a", "ada", "k1", "text"), draft("a", "ada", "k4", "text")]).await;
    assert_eq!(appended, [Ok((1, Outcome::Replayed)), Ok((4, Outcome::New))]);
}

pub(super) async fn a_new_epoch_begins_only_when_asked_for(backend: &impl Backend) {
    let first = read(&filled(backend, 3).await, Part::Newest, 100).await;
    let renewed = read(&backend.open(NewEpoch::Begin).await, Part::Newest, 100).await;
    assert_ne!(renewed.epoch, first.epoch);
    assert_eq!(renewed.events, first.events, "a new epoch keeps the events");
    assert_eq!(read(&backend.open(NewEpoch::Keep).await, Part::Newest, 100).await.epoch, renewed.epoch);
}
