//! Names and messages that are written from right to left, have stacked accents, or are long: they do not affect the
//! text around them.

use serde_json::json;

use crate::product;
use crate::window::{Window, words_of};

/// A name in a script that is written from right to left.
const DANA: &str = "\u{5d3}\u{5e0}\u{5d4}";

/// A JavaScript expression that is true if the name is isolated within the element, so that its direction of writing
/// does not affect the text around it.
fn isolated(css: &str, name: &str) -> String {
    format!(
        "(() => {{
            const [place, name] = [document.querySelector({}), {}];
            if (!place?.textContent.includes(name)) return false;
            if (place.textContent.includes(`\\u2068${{name}}\\u2069`)) return true;
            const holders = [place, ...place.querySelectorAll('*')];
            return holders.some(holder => holder.textContent.trim() === name
                && getComputedStyle(holder).unicodeBidi.startsWith('isolate'));
        }})()",
        json!(css),
        json!(name)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_to_left_name_does_not_affect_the_text_around_it() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let dana = Window::in_general(&server, DANA).await;
    dana.writes("shalom").await;
    ada.reads("shalom").await;
    dana.types("#composer", "more").await;
    for place in ["#typing", ".member-names", ".message-author", "[data-room=general] .room-link-last"] {
        ada.until(&format!("the name is isolated in {place}"), &isolated(place, DANA)).await;
    }
    dana.until("the name is isolated in the menu", &isolated("#user-menu", DANA)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_a_long_name_nor_stacked_accents_cover_their_surroundings() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    ada.resizes_to(390, 800).await;
    let long = "W".repeat(40);
    let grace = Window::in_general(&server, &long).await;
    grace.types("#composer", "x").await;
    let sees_typing = "(() => {
        const texts = document.createTreeWalker(document.querySelector('#typing'), NodeFilter.SHOW_TEXT);
        const range = document.createRange();
        while (texts.nextNode()) {
            const place = texts.currentNode.data.indexOf('is typing');
            if (place < 0) continue;
            range.setStart(texts.currentNode, place);
            range.setEnd(texts.currentNode, place + 9);
            const { left, right } = range.getBoundingClientRect();
            return right > left && left >= 0 && right <= innerWidth;
        }
        return false;
    })()";
    ada.until("the text beside the name is in sight", sees_typing).await;
    let no_wider = "document.scrollingElement.scrollWidth <= innerWidth";
    assert!(ada.evaluates::<bool>(no_wider).await, "the page is wider than the screen");

    let pile = format!("Z{}", "\u{301}".repeat(1_500));
    server.guest("Joan").await.posts("general", "k", &pile).await;
    ada.until("the message has arrived", &format!("{}?.startsWith('Z')", words_of(".message-text"))).await;
    let is_clipped = "(() => {
        for (let box = document.querySelector('.message-text'); box.id !== 'timeline'; box = box.parentElement) {
            const style = getComputedStyle(box);
            if (['clip', 'hidden'].includes(style.overflowY) || /paint|content|strict/.test(style.contain)) return true;
            if (box.matches('.message')) return false;
        }
    })()";
    assert!(ada.evaluates::<bool>(is_clipped).await, "stacked accents are drawn over other rows");
}
