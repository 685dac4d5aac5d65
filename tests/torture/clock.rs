//! The clock of the machine leaps, while the node runs and while it does not. Nobody is signed out or disconnected by
//! that alone, and order and presence stay right.
//!
//! The node runs under libfaketime, which reads from a file how wrong the clock is.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use shared::{Millis, Part, Seq, ServerFrame, endpoint};
use tempfile::TempDir;

use super::is_long;
use super::stage::FAST;
use crate::support::{Person, Record, TestServer, Variables, probe};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
/// Errors of the clock, in seconds, one after the other. The first ones do at every push.
const LEAPS: [i64; 7] = [365 * DAY, -HOUR, 0, -365 * DAY, 0, HOUR, 0];
const LEAPS_SHORT: usize = 3;
/// More than the 400 days for which a sign-in lasts that is not renewed.
const TOO_LONG: i64 = 500 * DAY;
/// Tolerance for the clock of a busy machine.
const ABOUT_MS: u64 = 60_000;

/// A wall clock that can be set. Monotonic time goes on as it does.
struct FakeClock {
    library: String,
    folder: TempDir,
}

impl FakeClock {
    /// One that is right. Nothing where libfaketime is not installed, except in CI, which must not pass without what is
    /// tested with it.
    fn find() -> Option<FakeClock> {
        let asked =
            Command::new("faketime").args(["-m", "-f", "+0", "sh", "-c", "echo $LD_PRELOAD"]).output();
        let Ok(asked) = asked else {
            let missing = "faketime is missing: `cargo xtask setup --with-browser` installs it";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("SKIPPED: {missing}");
            return None;
        };
        let library = String::from_utf8(asked.stdout).unwrap().trim().to_owned();
        let clock = FakeClock { library, folder: TempDir::new().unwrap() };
        clock.is_off_by(0);
        Some(clock)
    }

    /// Sets it at once, also for a node that runs.
    fn is_off_by(&self, secs: i64) {
        let (new, file) = (self.folder.path().join("new"), self.folder.path().join("time"));
        fs::write(&new, format!("{secs:+}\n")).unwrap();
        fs::rename(new, file).unwrap();
    }

    /// The environment of a program that goes by it.
    fn variables(&self) -> Variables {
        vec![
            ("LD_PRELOAD", self.library.clone()),
            ("FAKETIME_TIMESTAMP_FILE", self.folder.path().join("time").display().to_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }
}

/// True if a clock that is off by so much may have shown this.
fn fits(at: Millis, off_by_secs: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as Millis;
    at.abs_diff(now + off_by_secs * 1_000) < ABOUT_MS
}

/// The node's pings since the clock is off by so much.
fn pings(record: &Record, off_by_secs: i64) -> usize {
    let ping = |frame: &&ServerFrame| matches!(frame, ServerFrame::Ping { at } if fits(*at, off_by_secs));
    record
        .frames
        .iter()
        .rev()
        .take_while(|frame| !matches!(frame, ServerFrame::Welcome(_)))
        .filter(ping)
        .count()
}

/// Stops a node in order: libfaketime leaves something behind in shared memory when it is killed.
async fn stops(server: &mut TestServer) {
    server.terminate();
    assert!(server.ended().await.success());
}

async fn is_signed_in(person: &Person) -> bool {
    person.get(endpoint::ME).await.status == 200
}

#[tokio::test]
async fn a_leap_of_the_clock_signs_nobody_out_and_disturbs_no_reader() {
    let Some(clock) = FakeClock::find() else { return };
    let (mut server, topic) =
        (TestServer::with(&[&FAST[..], &["--heartbeat-secs", "1"]].concat()), probe("topic"));
    stops(&mut server).await;
    assert!(server.restarts_under(clock.variables()));
    let mut people = vec![server.guest("Ada").await];
    let (reader, other) = (server.browser("Grace", &[&topic]).await, server.browser("Eve", &[&topic]).await);
    let leaps = if is_long() { &LEAPS[..] } else { &LEAPS[..LEAPS_SHORT] };
    for (number, leap) in (1..).zip(leaps.iter().copied()) {
        let heard = pings(&reader.record(), leap);
        clock.is_off_by(leap);
        people[0].publishes("topic", &format!("k{number}"), "x").await;
        reader.reaches(&topic, number).await;
        reader.until("it is asked for a sign of life", |record| pings(record, leap) > heard).await;
        if number % 2 == 1 {
            other.unwatch(&topic);
            reader.until("Eve went", |record| record.members() == [("Grace", 1)]).await;
        } else {
            other.watch(&topic);
            reader.until("Eve came", |record| record.members() == [("Eve", 1), ("Grace", 1)]).await;
        }
        people.push(server.guest(&format!("Guest of {leap}")).await);
        for person in &people {
            assert!(is_signed_in(person).await, "{} at {leap}", person.identity.name);
        }
    }
    let log = people[0].pull(&topic, Part::After(Seq::ZERO)).await;
    for (event, leap) in log.events.iter().zip(leaps) {
        assert!(fits(event.at, *leap), "the clock did not leap: {event:?} at {leap}");
    }
    let record = reader.record();
    assert_eq!(record.topics[&topic].events, log.events);
    assert_eq!((record.opened, record.closed.len(), record.topics[&topic].started_over), (1, 0, 1));
    assert_eq!(other.record().opened, 1);
    stops(&mut server).await;
}

#[tokio::test]
async fn a_node_that_starts_with_the_clock_far_off_ends_no_sign_in_for_good() {
    let Some(clock) = FakeClock::find() else { return };
    let mut server = TestServer::with(&FAST);
    let ada = server.guest("Ada").await;
    ada.publishes("topic", "k1", "x").await;
    for off_by in [TOO_LONG, -TOO_LONG, 0] {
        stops(&mut server).await;
        clock.is_off_by(off_by);
        assert!(server.restarts_under(clock.variables()), "{}", server.log());
        assert_eq!(ada.get("/readyz").await.status, 200);
        let guest = server.guest("Guest").await;
        guest.publishes("topic", &format!("at{off_by}"), "x").await;
        // Over for as long as the clock says so: nothing but the clock tells how old it is.
        assert_eq!(is_signed_in(&ada).await, off_by != TOO_LONG, "{off_by}");
    }
    ada.publishes("topic", "k2", "x").await;
    assert_eq!(ada.head(&probe("topic")).await, Seq(5));
    stops(&mut server).await;
}
