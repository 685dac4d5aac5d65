//! The environment of a page that a test can set: its media, its size, and its clock.

use serde_json::{Value, json};

use crate::window::Window;

/// Moves the clock of the page ahead by the milliseconds in the tab's storage.
const CLOCK: &str = "(() => {
    Date.real ??= Date.now.bind(Date);
    Date.now = () => Date.real() + Number(sessionStorage.getItem('test:clock-ahead-ms'));
})()";

/// Makes timers and the monotonic clock of the page ten times as fast.
const SPEED_UP: &str = "(() => {
    const [clock, timer] = [performance.now.bind(performance), window.setTimeout.bind(window)];
    const begin = clock();
    performance.now = () => begin + 10 * (clock() - begin);
    window.setTimeout = (act, delay, ...rest) => timer(act, delay / 10, ...rest);
    return true;
})()";

impl Window {
    /// Sends a command of the DevTools protocol.
    pub(crate) async fn sends_command(&self, command: &str, parameters: Value) {
        self.driver.cdp().send_raw(command, parameters).await.unwrap();
    }

    /// Emulates a medium, such as `print`, and media features, such as `forced-colors`.
    pub(crate) async fn emulates_media(&self, media: &str, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.sends_command("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }))
            .await;
    }

    /// Resizes the page, in CSS pixels.
    pub(crate) async fn resizes_to(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.sends_command("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Reloads the page with a clock that is ahead by so many milliseconds.
    pub(crate) async fn reloads_with_clock_ahead_by(&self, millis: i64) {
        let _: Option<bool> = self
            .evaluates(&format!("(sessionStorage.setItem('test:clock-ahead-ms', '{millis}'), null)"))
            .await;
        self.before_load(CLOCK).await;
        self.reloads().await;
    }

    /// Makes time pass ten times as fast for this page.
    pub(crate) async fn speeds_up(&self) {
        assert!(self.evaluates::<bool>(SPEED_UP).await);
    }
}
