//! Whether the log, the acknowledgements and the readers agree, and where they do not.

use std::collections::BTreeMap;

use shared::Event;

use super::writers::Acknowledged;
use crate::support::Reading;

/// The log holds what was acknowledged and nothing else, each once, where its author was told, without a hole.
pub fn judge_log(log: &[Event], acknowledged: &[Acknowledged]) -> Result<(), String> {
    if let Some((event, seq)) = log.iter().zip(1..).find(|(event, seq)| event.seq.0 != *seq) {
        return Err(format!("the log has {} where {seq} is due", event.seq));
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
    for told in acknowledged {
        let place = places.remove(&(told.author.0.to_string(), told.key.as_str()));
        let event = place.ok_or_else(|| format!("the log lacks {told:?}"))?;
        if (event.seq, &event.topic, event.payload.as_json())
            != (told.ack.seq, &told.ack.topic, &told.payload)
        {
            return Err(format!("{told:?} was told, and the log has {event:?}"));
        }
    }
    match places.values().next() {
        Some(event) => Err(format!("nobody was told of {event:?}")),
        None => Ok(()),
    }
}

/// The reader applied what is in the log, each event once and in that order, and never had to start over.
pub fn judge_reader(log: &[Event], reading: &Reading) -> Result<(), String> {
    if let Some((read, event)) = reading.events.iter().zip(log).find(|(read, event)| read != event) {
        return Err(format!("it read {read:?} where the log has {event:?}"));
    }
    if reading.events.len() != log.len() {
        return Err(format!("it read {} events of {}", reading.events.len(), log.len()));
    }
    if reading.started_over != 1 {
        return Err(format!("it started over {} times", reading.started_over));
    }
    Ok(())
}

mod tests {
    use shared::{Ack, Epoch, Identity, Key, Payload, Seq, UserId};

    use super::*;
    use crate::support::probe;

    fn event(seq: u64, key: &str) -> Event {
        let author = Identity { id: UserId("u_1".into()), name: String::from("Ada").try_into().unwrap() };
        let (key, payload) = (Key::try_from(key).unwrap(), Payload::of(&key).unwrap());
        Event { topic: probe("topic"), seq: Seq(seq), at: 1, author, key, payload }
    }

    fn told(event: &Event) -> Acknowledged {
        let epoch = Epoch::try_from(String::from("e")).unwrap();
        let ack = Ack { topic: event.topic.clone(), epoch, seq: event.seq };
        let (author, key) = (event.author.id.clone(), event.key.as_str().to_owned());
        Acknowledged { author, key, payload: event.payload.as_json().to_owned(), ack, replayed: false }
    }

    #[test]
    fn the_judge_of_the_log_sees_each_crime() {
        let (a, b, c) = (event(1, "a"), event(2, "b"), event(3, "c"));
        let all = [told(&a), told(&b)];
        let log = [a.clone(), b.clone()];
        let wrong = |log: &[Event], told: &[Acknowledged]| judge_log(log, told).unwrap_err();
        assert_eq!(judge_log(&log, &all), Ok(()));
        assert!(wrong(&[a.clone(), c.clone()], &all).contains("where 2 is due"));
        assert!(wrong(&[a.clone(), b.clone(), event(3, "a")], &all).contains("twice"));
        assert!(wrong(&log[..1], &all).contains("lacks"));
        assert!(wrong(&log, &all[..1]).contains("nobody was told"));
        assert!(wrong(&[event(1, "b"), event(2, "a")], &all).contains("was told"));
    }

    #[test]
    fn the_judge_of_readers_sees_each_crime() {
        let log = [event(1, "a"), event(2, "b")];
        let wrong = |events: &[Event], started_over| {
            let reading = Reading { events: events.to_vec(), started_over, ..Reading::default() };
            judge_reader(&log, &reading).err().unwrap_or_default()
        };
        assert_eq!(wrong(&log, 1), "");
        assert!(wrong(&log, 2).contains("started over"));
        assert!(wrong(&log[..1], 1).contains("1 events of 2"));
        assert!(wrong(&[log[0].clone(), log[0].clone()], 1).contains("where the log has"));
        assert!(wrong(&[log[1].clone(), log[0].clone()], 1).contains("where the log has"));
    }
}
