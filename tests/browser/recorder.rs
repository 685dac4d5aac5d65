//! Records, from the first moment of a page on, everything that it says aloud, every alarm that it shows, and each
//! status of its badge: what is gone again before a test looks is seen too.

use crate::window::Window;

/// Runs before the page's own code. An alarm is what interrupts: `role=alert`, a bar, a notice that warns.
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
    /// Records every page from its next load on, in the first tab.
    pub(crate) async fn records(&self) {
        self.before_load(RECORDER).await;
    }

    /// Waits until a screen reader was given these words.
    pub(crate) async fn hears(&self, words: &str) {
        let is_said = format!("recorded.spoken.some(said => said.includes({}))", serde_json::json!(words));
        self.until(&format!("{words:?} is read aloud"), &is_said).await;
    }

    /// All that was read aloud since the page was loaded.
    pub(crate) async fn spoken(&self) -> Vec<String> {
        self.tells("recorded.spoken").await
    }

    /// The alarms since the page was loaded.
    pub(crate) async fn alarms(&self) -> Vec<String> {
        self.tells("recorded.alarms").await
    }

    /// The statuses of the badge since the page was loaded.
    pub(crate) async fn statuses(&self) -> Vec<String> {
        self.tells("recorded.statuses").await
    }

    /// Checks that nothing is amiss: nothing loads any more, no alarm was raised since the page was loaded, and the
    /// console knows of no error.
    pub(crate) async fn is_calm(&self) {
        self.until("nothing is loading any more", NOTHING_LOADS).await;
        assert_eq!(self.alarms().await, Vec::<String>::new(), "alarms");
        assert_eq!(self.console_errors().await, Vec::<String>::new(), "errors in the console");
    }
}
