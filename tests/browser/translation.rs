//! Translation by the browser: later changes of the page must still appear.

use crate::product;
use crate::window::{Window, words_of};

/// Changes the page as Chromium's and Google's translators do: moves every text that may be translated into new
/// elements, also texts that are added later.
const TRANSLATE: &str = "(() => {
    const mayBe = text => text.data.trim() && text.parentElement?.translate && !text.parentElement.closest('font');
    const translate = () => {
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found = [];
        while (texts.nextNode()) if (mayBe(texts.currentNode)) found.push(texts.currentNode);
        for (const text of found) {
            const [outer, inner] = [document.createElement('font'), document.createElement('font')];
            text.replaceWith(outer);
            outer.append(inner);
            inner.append(`\u{ab}${text.data}\u{bb}`);
        }
    };
    translate();
    new MutationObserver(translate).observe(document.body, { subtree: true, childList: true });
    return true;
})()";

impl Window {
    /// Translates the page, and everything that is added to it.
    pub(crate) async fn translates(&self) {
        assert!(self.evaluates::<bool>(TRANSLATE).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_translated_view_follows_a_change_of_name() {
    let server = product();
    let window = Window::entered(&server, "Ada").await;
    window.translates().await;
    window.changes_name("Countess").await;
    let shows = |name: &str| format!("{}?.includes('{name}')", words_of("#user-menu"));
    window.until("the menu has the new name", &shows("Countess")).await;
    assert!(!window.evaluates::<bool>(&shows("Ada")).await);
    window.is_calm().await;
}
