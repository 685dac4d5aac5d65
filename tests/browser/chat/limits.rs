//! The limit of a line: the page lets go of nothing that the node refuses, and says how much is too much.

use super::NOTHING_UNSETTLED;
use crate::window::{Window, words_of};
use crate::{product, product_with};

impl Window {
    /// The number of characters that the page says are too many; none while it would send the text.
    async fn says_too_many(&self) -> Option<usize> {
        assert!(self.tells::<bool>("new Promise(done => requestAnimationFrame(() => done(true)))").await);
        let told: String = self.tells(&words_of(".composer-left")).await;
        let count = told.strip_suffix(" too many")?.split(' ').next().unwrap();
        Some(count.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap())
    }

    /// Pastes the text, cut by exactly what the page says is too much of it, sends it, and checks that the node takes
    /// it.
    async fn sends_what_fits_of(&self, text: &str) {
        let script = |characters: usize| {
            format!("Array.from({}).slice(0, {characters}).join('')", serde_json::json!(text))
        };
        let all = text.chars().count();
        self.pastes(&script(all)).await;
        let too_many = self.says_too_many().await.unwrap_or_default();
        if too_many > 0 {
            self.pastes(&script(all - too_many + 1)).await;
            assert_eq!(self.says_too_many().await, Some(1), "of {:.20}…", text);
            self.pastes(&script(all - too_many)).await;
            assert_eq!(self.says_too_many().await, None, "of {:.20}…", text);
        }
        self.clicks("#send").await;
        let kept: String = text.chars().take(all - too_many).filter(|letter| !letter.is_control()).collect();
        self.reads(kept.trim()).await;
        self.until("it was taken", NOTHING_UNSETTLED).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_two_thousand_characters_of_any_kind_is_accepted() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    for letter in ['x', '🦀', '"', '\\', 'é'] {
        ada.sends_what_fits_of(&letter.to_string().repeat(2_000)).await;
        ada.sends_what_fits_of(&letter.to_string().repeat(2_100)).await;
    }
    ada.sends_what_fits_of(&format!("a{}b", "\u{1}".repeat(1_998))).await;
    // Nothing is left of it that could be sent.
    ada.pastes("'\\u0001'.repeat(2000)").await;
    ada.until("it cannot be sent", "document.querySelector('#send[aria-disabled=true]') !== null").await;
    ada.clicks("#send").await;
    assert_eq!(ada.texts().await.len(), 11);
    ada.is_calm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_smaller_limit_of_a_node_is_respected() {
    let server = product_with(&["--payload-bytes-max", "4096"]);
    let ada = Window::in_general(&server, "Ada").await;
    for letter in ['x', '🦀', '"', 'é', '日'] {
        ada.sends_what_fits_of(&letter.to_string().repeat(2_000)).await;
    }
    ada.is_calm().await;
}

/// The milliseconds until the page has painted again after a megabyte was pasted: into a field that nobody listens to,
/// which is what the browser itself takes, and into the composer.
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
    let [bare, own]: [f64; 2] = ada.tells(PASTE_A_MEGABYTE).await;
    assert!(own < 3.0 * bare, "the page stood still for {own} ms, and for {bare} ms by the browser alone");
    assert_eq!(ada.says_too_many().await, Some(998_000));
    ada.finds("#composer").await.clear().await.unwrap();
    ada.writes("shorter").await;
    ada.reads("shorter").await;
    ada.is_calm().await;
}
