//! The node is killed again and again under people who write and people who read, over links that fail: at the end
//! the log, every reader and the acknowledgements say the same.
//!
//! `DUPLEX_KILL_ROUNDS` sets the number of kills, `DUPLEX_SEED` what else is left to chance.

mod judge;
mod writers;

use futures_util::future::join_all;
use shared::{Event, Part, Seq, Topic, UserId};
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::support::{Cut, Dice, FaultyLink, Person, Stall, TestBrowser, TestServer, eventually, probe};
use judge::{judge_log, judge_reader};
use writers::Writers;

const ROUNDS: u64 = 5;
const SEED: u64 = 1;
const WRITERS: usize = 20;
const READERS: usize = 50;
/// One in five people goes straight to the server. The others share these; no WebSocket comes through the last.
const LINKS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_kills_and_failing_links_nothing_acknowledged_is_lost_or_doubled() {
    let (rounds, seed) = (number("DUPLEX_KILL_ROUNDS", ROUNDS), number("DUPLEX_SEED", SEED));
    eprintln!("to repeat this: DUPLEX_KILL_ROUNDS={rounds} DUPLEX_SEED={seed}");
    let (mut server, topic) = (TestServer::start(), probe("topic"));
    let (links, judge) = (links(&server).await, server.guest("Judge").await);
    let mut readers = Vec::new();
    for person in people(&server, &links, "Reader", READERS).await {
        readers.push(TestBrowser::open(person, &[&topic]).await);
    }
    let people = people(&server, &links, "Writer", WRITERS).await;
    let behind_the_first = of_link(0, &people);
    links[0].stall(Stall::ToClient);
    let writers = Writers::begin(people, seed);
    lose_answers(&links[0], &behind_the_first, &judge, &topic).await;
    let polling = || readers.iter().filter(|reader| reader.reading(&topic).pushed == 0).count();
    let behind_the_last = READERS / (LINKS + 1);
    eventually("all others are pushed to", async || (polling() == behind_the_last).then_some(())).await;

    let faults = links.iter().zip(0..).map(|(link, number)| link.misbehave(Dice::new(seed << 8 | number)));
    tokio::select! {
        () = kill_and_restart(&mut server, rounds, Dice::new(seed)) => {}
        _ = join_all(faults) => unreachable!("links misbehave for ever"),
    }
    links.iter().for_each(FaultyLink::mend);
    assert_eq!(polling(), behind_the_last, "those behind the last link read by long poll");
    let acknowledged = writers.end().await;

    let log = whole_log(&judge, &topic).await;
    judge_log(&log, &acknowledged).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(acknowledged.iter().any(|told| told.replayed), "answers were lost, and nobody asked again");
    for reader in readers {
        let reading = reader.until_read(&topic, log.len() as u64).await;
        judge_reader(&log, &reading)
            .unwrap_or_else(|wrong| panic!("{}: {wrong}", reader.person.identity.name));
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a whole number"))
}

async fn links(server: &TestServer) -> Vec<FaultyLink> {
    let links = join_all((0..LINKS).map(|_| FaultyLink::to(server.address()))).await;
    links[LINKS - 1].forbid_sockets();
    links
}

async fn people(server: &TestServer, links: &[FaultyLink], what: &str, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for number in 0..count {
        let person = server.guest(&format!("{what} {number}")).await;
        let link = (number % (LINKS + 1)).checked_sub(1);
        people.push(link.map_or_else(|| person.clone(), |link| person.through(&links[link])));
    }
    people
}

fn of_link(link: usize, people: &[Person]) -> Vec<UserId> {
    people.iter().skip(link + 1).step_by(LINKS + 1).map(|person| person.identity.id.clone()).collect()
}

/// Cuts a stalled link once something that one of these people wrote is in the log, and before they are told: a few
/// kills do not take an answer away for certain.
async fn lose_answers(link: &FaultyLink, of: &[UserId], judge: &Person, topic: &Topic) {
    eventually("somebody's event is in the log", async || {
        let log = whole_log(judge, topic).await;
        log.iter().any(|event| of.contains(&event.author.id)).then_some(())
    })
    .await;
    link.cut(Cut::Reset);
    link.mend();
}

/// Each life is long enough for some to come back, and short enough that not all have.
async fn kill_and_restart(server: &mut TestServer, rounds: u64, mut dice: Dice) {
    for _ in 0..rounds {
        sleep(dice.millis(50..900)).await;
        server.kill();
        sleep(dice.millis(0..200)).await;
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
