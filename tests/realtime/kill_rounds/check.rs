//! Checks that the log, the acknowledgements and the readers agree.

use std::collections::BTreeMap;

use shared::Event;

use super::writers::AckedPublish;
use crate::support::TopicRecord;

/// Checks that the log has exactly the acknowledged events, each once and at its acknowledged place, without a gap.
/// Returns a description of the first problem.
pub fn check_log(log: &[Event], acknowledged: &[AckedPublish]) -> Result<(), String> {
    if let Some((event, seq)) = log.iter().zip(1..).find(|(event, seq)| event.seq.0 != *seq) {
        return Err(format!("the log has {} in place of {seq}", event.seq));
    }
    let mut places = BTreeMap::new();
    for event in log {
        let name = (event.author.id.0.to_string(), event.key.as_str());
        if let Some(first) = places.insert(name, event) {
            return Err(format!(
                "the log has {} of {} twice: {} and {}",
                event.key.as_str(),
                event.author.id.0,
                first.seq,
                event.seq
            ));
        }
    }
    for acked in acknowledged {
        let place = places.remove(&(acked.author.0.to_string(), acked.key.as_str()));
        let event = place.ok_or_else(|| format!("the log lacks {acked:?}"))?;
        if (event.seq, &event.topic, event.payload.as_json())
            != (acked.ack.seq, &acked.ack.topic, &acked.payload)
        {
            return Err(format!("{acked:?} was acknowledged, but the log has {event:?}"));
        }
    }
    match places.values().next() {
        Some(event) => Err(format!("{event:?} was not acknowledged")),
        None => Ok(()),
    }
}

/// Checks that the reader applied exactly the events of the log, in order, and never started over. Returns a
/// description of the first problem.
pub fn check_reader(log: &[Event], record: &TopicRecord) -> Result<(), String> {
    if let Some((read, event)) = record.events.iter().zip(log).find(|(read, event)| read != event) {
        return Err(format!("it read {read:?}, but the log has {event:?}"));
    }
    if record.events.len() != log.len() {
        return Err(format!("it read {} events of {}", record.events.len(), log.len()));
    }
    if record.started_over != 1 {
        return Err(format!("it started over {} times", record.started_over));
    }
    Ok(())
}

mod tests {
    use shared::{Ack, Epoch, Identity, Key, Payload, Seq, UserId};

    use super::*;
    use crate::support::probe;

    fn event(seq: u64, key: &str) -> Event {
        let author = Identity { id: UserId("u_1".into()), name: String::from("Ada").try_into().unwrap() };
        let payload = Payload::of(&key).unwrap();
        let key = Key::try_from(key).unwrap();
        Event { topic: probe("topic"), seq: Seq(seq), at: 1, author, key, payload }
    }

    fn acked(event: &Event) -> AckedPublish {
        let epoch = Epoch::try_from(String::from("e")).unwrap();
        let ack = Ack { topic: event.topic.clone(), epoch, seq: event.seq };
        let author = event.author.id.clone();
        let key = event.key.as_str().to_owned();
        AckedPublish { author, key, payload: event.payload.as_json().to_owned(), ack, replayed: false }
    }

    #[test]
    fn the_check_of_the_log_finds_each_violation() {
        let a = event(1, "a");
        let b = event(2, "b");
        let c = event(3, "c");
        let all = [acked(&a), acked(&b)];
        let log = [a.clone(), b.clone()];
        let problem = |log: &[Event], acked: &[AckedPublish]| check_log(log, acked).unwrap_err();
        assert_eq!(check_log(&log, &all), Ok(()));
        assert!(problem(&[a.clone(), c.clone()], &all).contains("in place of 2"));
        assert!(problem(&[a.clone(), b.clone(), event(3, "a")], &all).contains("twice"));
        assert!(problem(&log[..1], &all).contains("lacks"));
        assert!(problem(&log, &all[..1]).contains("was not acknowledged"));
        assert!(problem(&[event(1, "b"), event(2, "a")], &all).contains("was acknowledged, but"));
    }

    #[test]
    fn the_check_of_readers_finds_each_violation() {
        let log = [event(1, "a"), event(2, "b")];
        let problem = |events: &[Event], started_over| {
            let record = TopicRecord { events: events.to_vec(), started_over, ..TopicRecord::default() };
            check_reader(&log, &record).err().unwrap_or_default()
        };
        assert_eq!(problem(&log, 1), "");
        assert!(problem(&log, 2).contains("started over"));
        assert!(problem(&log[..1], 1).contains("1 events of 2"));
        assert!(problem(&[log[0].clone(), log[0].clone()], 1).contains("but the log has"));
        assert!(problem(&[log[1].clone(), log[0].clone()], 1).contains("but the log has"));
    }
}
