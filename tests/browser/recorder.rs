//! A recorder of everything that a page announces, of its alarms and of the statuses of its badge, from the start of the
//! page on. It also catches what is gone again before a test looks.

use crate::window::Window;

/// The script of the recorder. An alarm is anything that interrupts: `role=alert`, a bar, a warning notice.
const RECORDER: &str = r"(() => {
    const recorded = window.recorded = { spoken: [], alarms: [], statuses: [] };
    const plain = text => text.replace(/[\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim();
    const note = (list, text) => { if (text && list.at(-1) !== text) list.push(text); };
    new MutationObserver(() => {
        document.querySelectorAll('[role=log]').forEach(log => note(recorded.spoken, plain(log.textContent)));
        for (const alarm of document.querySelectorAll('[role=alert], .bar, .notice.warning')) {
            const text = plain(alarm.textContent);
            if (alarm.checkVisibility() && !recorded.alarms.includes(text)) note(recorded.alarms, text);
        }
        note(recorded.statuses, document.querySelector('#connection')?.dataset.status);
    }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
})()";

const NOTHING_LOADS: &str = "!/loading|looking for/i.test(document.body.innerText)";

impl Window {
    /// Records every page that is loaded from now on in the first tab.
    pub(crate) async fn records(&self) {
        self.before_load(RECORDER).await;
    }

    /// Waits until these words were announced to screen readers.
    pub(crate) async fn hears(&self, words: &str) {
        let is_said = format!("recorded.spoken.some(said => said.includes({}))", serde_json::json!(words));
        self.until(&format!("{words:?} is announced"), &is_said).await;
    }

    /// All announcements since the page was loaded.
    pub(crate) async fn spoken(&self) -> Vec<String> {
        self.evaluates("recorded.spoken").await
    }

    /// The alarms since the page was loaded.
    pub(crate) async fn alarms(&self) -> Vec<String> {
        self.evaluates("recorded.alarms").await
    }

    /// The statuses of the badge since the page was loaded.
    pub(crate) async fn statuses(&self) -> Vec<String> {
        self.evaluates("recorded.statuses").await
    }

    /// Waits until nothing is loading, then checks that there was no alarm since the page was loaded and no error in the
    /// console.
    pub(crate) async fn is_calm(&self) {
        self.until("nothing is loading any more", NOTHING_LOADS).await;
        assert_eq!(self.alarms().await, Vec::<String>::new(), "alarms");
        assert_eq!(self.console_errors().await, Vec::<String>::new(), "errors in the console");
    }
}
