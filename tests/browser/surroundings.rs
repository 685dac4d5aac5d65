//! The surroundings of a page, as a test sets them: its media, its size, its clock, and what the browser lacks.

use serde_json::{Value, json};

use crate::window::Window;

/// The clock of the page, moved by the milliseconds that the tab keeps under this name.
const CLOCK: &str = "(() => {
    Date.real ??= Date.now.bind(Date);
    Date.now = () => Date.real() + Number(sessionStorage.getItem('test:clock-ahead-ms'));
})()";

/// A second takes a tenth of one from now on, for timers and for the clock that never goes back.
const HURRY: &str = "(() => {
    const [clock, timer] = [performance.now.bind(performance), window.setTimeout.bind(window)];
    const begin = clock();
    performance.now = () => begin + 10 * (clock() - begin);
    window.setTimeout = (act, delay, ...rest) => timer(act, delay / 10, ...rest);
    return true;
})()";

impl Window {
    /// Sends a command of the DevTools protocol.
    pub(crate) async fn commands(&self, command: &str, parameters: Value) {
        self.driver.cdp().send_raw(command, parameters).await.unwrap();
    }

    /// Shows the page in a medium, such as `print`, with features of media such as `forced-colors`.
    pub(crate) async fn shows_in(&self, media: &str, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.commands("Emulation.setEmulatedMedia", json!({ "media": media, "features": features })).await;
    }

    /// Gives the page this many CSS pixels.
    pub(crate) async fn has_size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.commands("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Loads the page on a machine whose clock is wrong by so many milliseconds.
    pub(crate) async fn reloads_with_clock_ahead_by(&self, millis: i64) {
        let _: Option<bool> =
            self.tells(&format!("(sessionStorage.setItem('test:clock-ahead-ms', '{millis}'), null)")).await;
        self.before_load(CLOCK).await;
        self.reloads().await;
    }

    /// Lets time pass ten times as fast for this page.
    pub(crate) async fn hurries(&self) {
        assert!(self.tells::<bool>(HURRY).await);
    }
}
