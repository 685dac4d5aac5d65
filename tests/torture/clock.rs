//! The machine's clock jumps, while the node runs and while it does not. That alone signs nobody out and disconnects
//! nobody, and order and presence stay correct.
//!
//! The node runs under libfaketime, which reads the error of the clock from a file.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use shared::{Millis, Part, Seq, ServerFrame, endpoint};
use tempfile::TempDir;

use super::is_long;
use crate::support::{EnvVars, NO_PUBLISH_LIMIT, Person, Record, TestServer, probe};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
/// Errors of the clock in seconds, one after the other. Every push uses the first [`LEAPS_SHORT`].
const LEAPS: [i64; 7] = [365 * DAY, -HOUR, 0, -365 * DAY, 0, HOUR, 0];
const LEAPS_SHORT: usize = 3;
/// More than the 400 days after which a sign-in expires without a renewal.
const TOO_LONG: i64 = 500 * DAY;
/// The tolerance for a busy machine.
const ABOUT_MS: u64 = 60_000;

/// A wall clock that can be set. It does not affect monotonic time.
struct FakeClock {
    library: String,
    folder: TempDir,
}

impl FakeClock {
    /// Creates a clock that is right. Returns `None` if libfaketime is not installed, except in CI, where it panics: CI
    /// must not pass without these tests.
    fn find() -> Option<FakeClock> {
        let output =
            Command::new("faketime").args(["-m", "-f", "+0", "sh", "-c", "echo $LD_PRELOAD"]).output();
        let Ok(output) = output else {
            let missing = "faketime is missing: `cargo xtask setup --with-browser` installs it";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("SKIPPED: {missing}");
            return None;
        };
        let library = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let clock = FakeClock { library, folder: TempDir::new().unwrap() };
        clock.set_error(0);
        Some(clock)
    }

    /// Sets the error of the clock at once, also for a running node.
    fn set_error(&self, secs: i64) {
        let new = self.folder.path().join("new");
        let file = self.folder.path().join("time");
        fs::write(&new, format!("{secs:+}\n")).unwrap();
        fs::rename(new, file).unwrap();
    }

    /// Returns the environment variables of a program that uses this clock.
    fn env_vars(&self) -> EnvVars {
        vec![
            ("LD_PRELOAD", self.library.clone()),
            ("FAKETIME_TIMESTAMP_FILE", self.folder.path().join("time").display().to_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }
}

/// Returns true if a clock with this error may have shown this time.
fn may_show(at: Millis, off_by_secs: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as Millis;
    at.abs_diff(now + off_by_secs * 1_000) < ABOUT_MS
}

/// Counts the node's pings on the current connection that show a clock with this error.
fn pings(record: &Record, off_by_secs: i64) -> usize {
    let ping = |frame: &&ServerFrame| matches!(frame, ServerFrame::Ping { at } if may_show(*at, off_by_secs));
    record
        .frames
        .iter()
        .rev()
        .take_while(|frame| !matches!(frame, ServerFrame::Welcome(_)))
        .filter(ping)
        .count()
}

/// Stops a node gracefully: if it is killed, libfaketime leaves data in shared memory.
async fn stop(server: &mut TestServer) {
    server.terminate();
    assert!(server.ended().await.success());
}

async fn is_signed_in(person: &Person) -> bool {
    person.get(endpoint::ME).await.status == 200
}

#[tokio::test]
async fn a_jump_of_the_clock_signs_nobody_out_and_does_not_affect_readers() {
    let Some(clock) = FakeClock::find() else { return };
    let mut server = TestServer::with(&[&NO_PUBLISH_LIMIT[..], &["--heartbeat-secs", "1"]].concat());
    let topic = probe("topic");
    stop(&mut server).await;
    assert!(server.try_restart_with_env(clock.env_vars()));
    let mut guests = vec![server.guest("Ada").await];
    let reader = server.browser("Grace", &[&topic]).await;
    let other = server.browser("Eve", &[&topic]).await;
    let leaps = if is_long() { &LEAPS[..] } else { &LEAPS[..LEAPS_SHORT] };
    for (number, leap) in (1..).zip(leaps.iter().copied()) {
        let pings_before = pings(&reader.record(), leap);
        clock.set_error(leap);
        guests[0].publish("topic", &format!("k{number}"), "x").await;
        reader.wait_for_seq(&topic, number).await;
        reader.wait_until("the node sends a ping", |record| pings(record, leap) > pings_before).await;
        if number % 2 == 1 {
            other.unwatch(&topic);
            reader.wait_until("Eve has left", |record| record.members() == [("Grace", 1)]).await;
        } else {
            other.watch(&topic);
            reader.wait_until("Eve is back", |record| record.members() == [("Eve", 1), ("Grace", 1)]).await;
        }
        guests.push(server.guest(&format!("Guest of {leap}")).await);
        for person in &guests {
            assert!(is_signed_in(person).await, "{} at {leap}", person.identity.name);
        }
    }
    let log = guests[0].pull(&topic, Part::After(Seq::ZERO)).await;
    for (event, leap) in log.events.iter().zip(leaps) {
        assert!(may_show(event.at, *leap), "the clock did not jump: {event:?} at {leap}");
    }
    let record = reader.record();
    assert_eq!(record.topics[&topic].events, log.events);
    assert_eq!((record.opened, record.closed.len(), record.topics[&topic].started_over), (1, 0, 1));
    assert_eq!(other.record().opened, 1);
    stop(&mut server).await;
}

#[tokio::test]
async fn a_node_that_starts_with_a_wrong_clock_ends_no_sign_in_for_good() {
    let Some(clock) = FakeClock::find() else { return };
    let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    ada.publish("topic", "k1", "x").await;
    for off_by in [TOO_LONG, -TOO_LONG, 0] {
        stop(&mut server).await;
        clock.set_error(off_by);
        assert!(server.try_restart_with_env(clock.env_vars()), "{}", server.stderr());
        assert_eq!(ada.get("/readyz").await.status, 200);
        let guest = server.guest("Guest").await;
        guest.publish("topic", &format!("at{off_by}"), "x").await;
        // A sign-in is expired for as long as the clock says so: nothing else tells its age.
        assert_eq!(is_signed_in(&ada).await, off_by != TOO_LONG, "{off_by}");
    }
    ada.publish("topic", "k2", "x").await;
    assert_eq!(ada.head(&probe("topic")).await, Seq(5));
    stop(&mut server).await;
}
