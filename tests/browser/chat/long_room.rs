//! A room with thousands of messages, of which those out of sight cost nothing.
//!
//! The tests check the cause of that, which does not depend on the machine. Times are measured on request:
//! `DUPLEX_MEASURE=1 cargo test --test browser long_room -- --nocapture`, with a built client as for all tests here.

use std::time::Duration;

use serde_json::json;
use thirtyfour::Key;
use tokio::time::{Instant, interval, sleep_until};

use super::MESSAGES;
use crate::product;
use crate::support::Person;
use crate::window::Window;

/// Counts the changes below the list of messages, except in the block with the last messages.
const WATCH: &str = "(() => {
    window.changes = 0;
    const isElsewhere = change => !document.querySelector('.block:last-of-type').contains(change.target);
    new MutationObserver(changes => { window.changes += changes.filter(isElsewhere).length; }).observe(
        document.querySelector('.messages'),
        { subtree: true, childList: true, characterData: true, attributes: true });
})()";

/// True if the first loaded message is rendered.
const FIRST_IS_RENDERED: &str =
    "document.querySelector('.message').checkVisibility({ contentVisibilityAuto: true })";
const TO_THE_TOP: &str = "document.querySelector('#timeline').scrollTop = 0";
const TO_THE_END: &str = "document.querySelector('#timeline').scrollTop = 1e9";

/// Records the time of every frame, and for every key the time that its handlers and the layout after them take.
const MEASURE: &str = "(() => {
    window.frames = [];
    window.keys = [];
    const frame = now => { window.frames.push(now); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    const field = document.querySelector('#composer');
    let began;
    field.addEventListener('keydown', () => { began = performance.now(); }, { capture: true });
    field.addEventListener('input', async () => {
        // The page reacts in microtasks.
        for (let turn = 0; turn < 20; turn += 1) await null;
        document.body.offsetHeight;
        window.keys.push(performance.now() - began);
    });
})()";

impl Window {
    /// Scrolls up until the first message of the room is loaded.
    async fn loads_all_messages(&self) {
        self.until("the first message is loaded", &format!("({TO_THE_TOP}, {MESSAGES}[0][0] === 1)")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_at_the_end_keeps_only_the_newest_messages() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_messages("general", 1, 1).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 1").await;
    joan.posts_messages("general", 2, 750).await;
    ada.reads("line 750").await;
    let count: u32 = ada.evaluates("document.querySelectorAll('.message').length").await;
    assert!((500..=600).contains(&count), "{count} messages are loaded");
    let is_at_end = "!document.querySelector('.jump')";
    assert!(ada.evaluates::<bool>(is_at_end).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_a_key_nor_a_new_message_changes_distant_blocks() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_messages("general", 1, 301).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 301").await;
    ada.loads_all_messages().await;
    let _: f64 = ada.evaluates(TO_THE_END).await;
    ada.until("the end is reached", "!document.querySelector('.jump')").await;
    ada.until("the first message is not rendered", &format!("!{FIRST_IS_RENDERED}")).await;

    let _: Option<bool> = ada.evaluates(WATCH).await;
    ada.types("#composer", "some text").await;
    let line_break = ada.driver.action_chain().key_down(Key::Shift).send_keys(Key::Enter).key_up(Key::Shift);
    line_break.perform().await.unwrap();
    joan.posts_messages("general", 302, 310).await;
    ada.reads("line 310").await;
    assert_eq!(ada.evaluates::<u32>("window.changes").await, 0);
    assert!(!ada.evaluates::<bool>(FIRST_IS_RENDERED).await);
    let contain = "getComputedStyle(document.querySelector('.timeline-frame')).contain";
    assert_eq!(ada.evaluates::<String>(contain).await, "strict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scroll_position_is_kept_though_the_blocks_above_are_not_rendered() {
    let server = product();
    let joan = server.guest("Joan").await;
    for number in 1..=300 {
        // Messages of all heights: no estimate would be right.
        let text = "long ".repeat(number as usize % 37 * 5) + "line";
        joan.posts("general", &format!("k{number}"), &text).await;
    }
    let ada = Window::in_general(&server, "Ada").await;
    ada.finds(".message[data-seq='300']").await;
    ada.loads_all_messages().await;
    let _: f64 = ada.evaluates(TO_THE_END).await;
    ada.until("the first message is not rendered", &format!("!{FIRST_IS_RENDERED}")).await;
    let height = "document.querySelector('#timeline').scrollHeight";
    let before: f64 = ada.evaluates(height).await;
    let _: f64 = ada.evaluates(TO_THE_TOP).await;
    ada.until("the first message is rendered", FIRST_IS_RENDERED).await;
    assert_eq!(ada.evaluates::<f64>(height).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frame_and_key_times_are_measured_on_request() {
    if std::env::var_os("DUPLEX_MEASURE").is_none() {
        return;
    }
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_messages("general", 1, 2_000).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 2000").await;
    ada.loads_all_messages().await;
    let mut number = 2_000;
    for rate in [1, 4] {
        if rate > 1 {
            ada.reloads().await;
            ada.is_connected().await;
            ada.loads_all_messages().await;
        }
        let throttle = json!({ "rate": rate });
        ada.driver.cdp().send_raw("Emulation.setCPUThrottlingRate", throttle).await.unwrap();
        let _: Option<bool> = ada.evaluates(MEASURE).await;
        number = ada.types_while_messages_arrive(&joan, number).await;
        let frames: Vec<f64> = ada.evaluates("window.frames").await;
        let keys: Vec<f64> = ada.evaluates("window.keys").await;
        let gaps = frames.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let rows: u32 = ada.evaluates("document.querySelectorAll('.message').length").await;
        println!("{rows} rows, 20 messages a second, CPU {rate} times slower:");
        println!("  a frame: {}", summary(gaps));
        println!("  a key:   {}", summary(keys));
    }
}

/// The duration of a measurement.
const MEASURED: Duration = Duration::from_secs(10);

impl Window {
    /// Types at a human pace while another user posts 20 messages a second. Returns the number of the last one.
    async fn types_while_messages_arrive(&self, other: &Person, mut number: u32) -> u32 {
        self.clicks("#composer").await;
        let (other, until) = (other.with_open_connections(), Instant::now() + MEASURED);
        let writing = tokio::spawn(async move {
            let mut ticks = interval(Duration::from_millis(50));
            while Instant::now() < until {
                ticks.tick().await;
                number += 1;
                other.posts("general", &format!("k{number}"), &format!("line {number}")).await;
            }
            number
        });
        while Instant::now() < until {
            let next = Instant::now() + Duration::from_millis(120);
            self.presses("x").await;
            sleep_until(next).await;
        }
        writing.await.unwrap()
    }
}

/// The median, the 95th percentile and the longest.
fn summary(mut millis: Vec<f64>) -> String {
    millis.sort_by(f64::total_cmp);
    let at = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
    format!("{:.1} ms, p95 {:.1} ms, longest {:.1} ms ({} of them)", at(0.5), at(0.95), at(1.0), millis.len())
}
