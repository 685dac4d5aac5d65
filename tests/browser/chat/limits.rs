//! The limits of a message: the page sends nothing that the node refuses, and shows by how much a text is too long.

use super::NOTHING_PENDING;
use crate::window::{Window, words_of};
use crate::{product, product_with};

impl Window {
    /// The number of characters that the page shows as too many; `None` while it would send the text.
    async fn excess_characters(&self) -> Option<usize> {
        assert!(self.evaluates::<bool>("new Promise(done => requestAnimationFrame(() => done(true)))").await);
        let shown: String = self.evaluates(&words_of(".composer-left")).await;
        let count = shown.strip_suffix(" too many")?.split(' ').next().unwrap();
        Some(count.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap())
    }

    /// Pastes the text without the characters that the page shows as too many, sends it, and checks that the node
    /// accepts it. One character more is too many.
    async fn sends_longest_prefix_of(&self, text: &str) {
        let script = |characters: usize| {
            format!("Array.from({}).slice(0, {characters}).join('')", serde_json::json!(text))
        };
        let all = text.chars().count();
        self.pastes(&script(all)).await;
        let too_many = self.excess_characters().await.unwrap_or_default();
        if too_many > 0 {
            self.pastes(&script(all - too_many + 1)).await;
            assert_eq!(self.excess_characters().await, Some(1), "of {:.20}…", text);
            self.pastes(&script(all - too_many)).await;
            assert_eq!(self.excess_characters().await, None, "of {:.20}…", text);
        }
        self.clicks("#send").await;
        let kept: String = text.chars().take(all - too_many).filter(|letter| !letter.is_control()).collect();
        self.reads(kept.trim()).await;
        self.until("the node has accepted it", NOTHING_PENDING).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_two_thousand_characters_of_any_kind_is_accepted() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    for letter in ['x', '🦀', '"', '\\', 'é'] {
        ada.sends_longest_prefix_of(&letter.to_string().repeat(2_000)).await;
        ada.sends_longest_prefix_of(&letter.to_string().repeat(2_100)).await;
    }
    ada.sends_longest_prefix_of(&format!("a{}b", "\u{1}".repeat(1_998))).await;
    // Nothing visible is left of this text.
    ada.pastes("'\\u0001'.repeat(2000)").await;
    ada.until("the button is disabled", "document.querySelector('#send[aria-disabled=true]') !== null").await;
    ada.clicks("#send").await;
    assert_eq!(ada.texts().await.len(), 11);
    ada.is_calm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_smaller_limit_of_a_node_is_respected() {
    let server = product_with(&["--payload-bytes-max", "4096"]);
    let ada = Window::in_general(&server, "Ada").await;
    for letter in ['x', '🦀', '"', 'é', '日'] {
        ada.sends_longest_prefix_of(&letter.to_string().repeat(2_000)).await;
    }
    ada.is_calm().await;
}

/// Measures the milliseconds until the page has painted again after a megabyte was pasted: into a field without
/// listeners, for the share of the browser itself, and into the composer.
const PASTE_A_MEGABYTE: &str = "(async () => {
    const composer = document.querySelector('#composer');
    const paste = (field) => new Promise((done) => {
        const begin = performance.now();
        field.value = 'x'.repeat(1_000_000);
        field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertFromPaste' }));
        requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begin)));
    });
    const bare = composer.cloneNode();
    bare.removeAttribute('id');
    composer.after(bare);
    const alone = await paste(bare);
    bare.remove();
    return [alone, await paste(composer)];
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pasted_megabyte_is_counted_and_does_not_freeze_the_tab() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let [bare, own]: [f64; 2] = ada.evaluates(PASTE_A_MEGABYTE).await;
    assert!(own < 3.0 * bare, "the page stood still for {own} ms, and for {bare} ms by the browser alone");
    assert_eq!(ada.excess_characters().await, Some(998_000));
    ada.finds("#composer").await.clear().await.unwrap();
    ada.writes("shorter").await;
    ada.reads("shorter").await;
    ada.is_calm().await;
}
