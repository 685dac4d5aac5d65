//! Kills the node many times while writers and readers use it over faulty links. In the end, the log, every reader and
//! the acknowledgements must agree.
//!
//! `DUPLEX_KILL_ROUNDS` sets the number of kills, and `DUPLEX_SEED` the seed of random choices.

mod check;
mod writers;

use futures_util::future::join_all;
use shared::{Event, Part, Seq, Topic, UserId};
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::support::env::number_of;
use crate::support::{Cut, FaultyLink, Person, Rng, Stall, TestBrowser, TestServer, eventually, probe};
use check::{check_log, check_reader};
use writers::Writers;

const ROUNDS: u64 = 5;
const SEED: u64 = 1;
const WRITERS: usize = 20;
const READERS: usize = 50;
/// The number of links. One in five guests connects directly to the server, the others share the links. No WebSocket
/// gets through the last one.
const LINKS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_and_failing_links_lose_or_duplicate_no_acknowledged_event() {
    let rounds = number_of("DUPLEX_KILL_ROUNDS").unwrap_or(ROUNDS);
    let seed = number_of("DUPLEX_SEED").unwrap_or(SEED);
    eprintln!("to repeat this: DUPLEX_KILL_ROUNDS={rounds} DUPLEX_SEED={seed}");
    let mut server = TestServer::start();
    let topic = probe("topic");
    let links = links(&server).await;
    let observer = server.guest("Observer").await;
    let mut readers = Vec::new();
    for person in guests(&server, &links, "Reader", READERS).await {
        readers.push(TestBrowser::open(person, &[&topic]).await);
    }
    let writing_guests = guests(&server, &links, "Writer", WRITERS).await;
    let behind_the_first = users_behind(0, &writing_guests);
    links[0].stall(Stall::ToClient);
    let writers = Writers::begin(writing_guests, seed);
    lose_answers(&links[0], &behind_the_first, &observer, &topic).await;
    let polling = || readers.iter().filter(|reader| reader.topic_record(&topic).pushed == 0).count();
    let behind_the_last = READERS / (LINKS + 1);
    eventually("events are pushed to all other readers", async || {
        (polling() == behind_the_last).then_some(())
    })
    .await;

    let faults = links.iter().zip(0..).map(|(link, number)| link.inject_faults(Rng::new(seed << 8 | number)));
    tokio::select! {
        () = kill_and_restart(&mut server, rounds, Rng::new(seed)) => {}
        _ = join_all(faults) => unreachable!("links fail for ever"),
    }
    links.iter().for_each(FaultyLink::mend);
    assert_eq!(polling(), behind_the_last, "exactly the readers behind the last link poll");
    let acknowledged = writers.end().await;

    let log = whole_log(&observer, &topic).await;
    check_log(&log, &acknowledged).unwrap_or_else(|problem| panic!("{problem}"));
    assert!(acknowledged.iter().any(|acked| acked.replayed), "answers were lost, but no publish was retried");
    for reader in readers {
        let record = reader.read_up_to(&topic, log.len() as u64).await;
        check_reader(&log, &record)
            .unwrap_or_else(|problem| panic!("{}: {problem}", reader.person.identity.name));
    }
}

async fn links(server: &TestServer) -> Vec<FaultyLink> {
    let links = join_all((0..LINKS).map(|_| FaultyLink::to(server.address()))).await;
    links[LINKS - 1].forbid_sockets();
    links
}

async fn guests(server: &TestServer, links: &[FaultyLink], kind: &str, count: usize) -> Vec<Person> {
    let mut guests = Vec::new();
    for number in 0..count {
        let guest = server.guest(&format!("{kind} {number}")).await;
        guests.push(match number % (LINKS + 1) {
            0 => guest,
            link => guest.through(&links[link - 1]),
        });
    }
    guests
}

fn users_behind(link: usize, guests: &[Person]) -> Vec<UserId> {
    guests.iter().skip(link + 1).step_by(LINKS + 1).map(|person| person.identity.id.clone()).collect()
}

/// Cuts a stalled link once the log has an event of one of its users, so that the acknowledgement is lost: a few kills
/// do not lose one for certain.
async fn lose_answers(link: &FaultyLink, users: &[UserId], observer: &Person, topic: &Topic) {
    eventually("the log has an event of these users", async || {
        let log = whole_log(observer, topic).await;
        log.iter().any(|event| users.contains(&event.author.id)).then_some(())
    })
    .await;
    link.cut(Cut::Reset);
    link.mend();
}

/// Kills and restarts the server. Each time it runs long enough for some readers to come back, but not for all.
async fn kill_and_restart(server: &mut TestServer, rounds: u64, mut rng: Rng) {
    for _ in 0..rounds {
        sleep(rng.millis(50..900)).await;
        server.kill();
        sleep(rng.millis(0..200)).await;
        block_in_place(|| server.restart());
    }
}

async fn whole_log(reader: &Person, topic: &Topic) -> Vec<Event> {
    let mut log: Vec<Event> = Vec::new();
    loop {
        let page = reader.pull(topic, Part::After(Seq(log.len() as u64))).await;
        if page.events.is_empty() {
            return log;
        }
        log.extend(page.events);
    }
}
