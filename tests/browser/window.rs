//! `Window`: one user's browser, with a profile of its own. Its methods wait until they can do what they are for.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{By, Capabilities, Key, TypingData, WebDriver, WebElement, WindowHandle};
use tokio::time::timeout;

use crate::driver::{Browser, Driver};
use crate::firefox::Bidi;
use crate::support::wait::try_eventually;
use crate::support::{DEADLINE, TestServer};
use crate::{chromium, firefox};

/// The time for the browser to answer a command. A busy machine starts a browser slowly.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// True if the field for a name has the focus and all of its text is selected, so that typing replaces it.
const NAME_FIELD_IS_READY: &str = "document.activeElement?.matches('#display-name') \
                        && document.activeElement.selectionStart === 0 \
                        && document.activeElement.selectionEnd === document.activeElement.value.length";

/// A browser session. The fields are dropped in this order: the session first, then what it needs.
pub struct Window {
    /// The session, for actions that have no method here.
    pub driver: WebDriver,
    bidi: Option<Bidi>,
    _process: Driver,
    _profile: TempDir,
    url: String,
    has_tabs: bool,
}

impl Window {
    /// Starts a browser for this server.
    pub async fn of(server: &TestServer) -> Window {
        Window::at(server.url()).await
    }

    /// Starts a browser for the server at this URL. It may have no tabs, which most tests do not need.
    pub async fn at(url: String) -> Window {
        let profile = TempDir::new().unwrap();
        let wanted = match Browser::chosen() {
            Browser::Chromium => chromium::without_tabs(profile.path()),
            Browser::Firefox => firefox::capabilities(profile.path()),
        };
        Window::start(wanted, profile, url, false).await
    }

    /// Starts a browser with tabs that hide each other. The flags are Chromium's.
    pub async fn with_tabs(url: String, flags: &[&str]) -> Window {
        let profile = TempDir::new().unwrap();
        let wanted = match Browser::chosen() {
            Browser::Chromium => chromium::with_tabs(profile.path(), flags),
            Browser::Firefox => firefox::capabilities(profile.path()),
        };
        Window::start(wanted, profile, url, true).await
    }

    async fn start(wanted: Capabilities, profile: TempDir, url: String, has_tabs: bool) -> Window {
        let browser = Browser::chosen();
        let process = Driver::of(browser);
        let session = WebDriver::builder(process.url(), wanted).request_timeout(ANSWER_WITHIN);
        let driver =
            session.connect().await.unwrap_or_else(|error| panic!("the browser does not start: {error}"));
        let bidi = match browser {
            Browser::Chromium => None,
            Browser::Firefox => Some(Bidi::connect(driver.handle().capabilities()).await),
        };
        let window = Window { driver, bidi, _process: process, _profile: profile, url, has_tabs };
        window.records().await;
        window
    }

    /// Starts a browser and signs in on the first page, as a new user does.
    pub async fn entered(server: &TestServer, name: &str) -> Window {
        let window = Window::of(server).await;
        window.enters(name).await;
        window.is_connected().await;
        window
    }

    /// Starts a browser, follows a link to this path, and signs in there.
    pub async fn signed_in(server: &TestServer, name: &str, path: &str) -> Window {
        let window = Window::of(server).await;
        window.visits(path).await;
        window.enters_name(name).await;
        window.is_connected().await;
        window
    }

    /// Opens the first page and signs in.
    pub async fn enters(&self, name: &str) {
        self.visits("/").await;
        self.enters_name(name).await;
    }

    /// Opens a path in another tab, which hides the present one. Returns the handles of the present and the new tab.
    pub async fn opens_a_tab(&self, path: &str) -> (WindowHandle, WindowHandle) {
        assert!(self.has_tabs, "start the browser `with_tabs`");
        let first = self.driver.window().await.unwrap();
        let second = self.driver.new_tab().await.unwrap();
        self.switches_to(&second).await;
        self.visits(path).await;
        (first, second)
    }

    /// Opens an empty tab, which hides this page, and continues with this page.
    pub async fn is_hidden_by_a_tab(&self) {
        assert!(self.has_tabs, "start the browser `with_tabs`");
        let _: Option<bool> = self.evaluates("(window.open('about:blank'), null)").await;
        self.until("the tab is hidden", "document.hidden").await;
    }

    /// Continues in another tab.
    pub async fn switches_to(&self, tab: &WindowHandle) {
        self.driver.switch_to_window(tab.clone()).await.unwrap();
    }

    /// Opens a path of the server.
    pub async fn visits(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.url)).await.unwrap();
    }

    /// Reloads the page.
    pub async fn reloads(&self) {
        self.driver.refresh().await.unwrap();
    }

    /// Returns the first element that the selector finds, once there is one.
    pub async fn finds(&self, css: &str) -> WebElement {
        let found = try_eventually(async || self.driver.find(By::Css(css)).await.ok()).await;
        self.or_fail(found, &format!("{css} exists")).await
    }

    /// Types at the end of the text in a field.
    pub async fn types(&self, css: &str, text: &str) {
        self.finds(css).await.send_keys(text).await.unwrap();
    }

    /// Clicks an element, once nothing covers it.
    pub async fn clicks(&self, css: &str) {
        let clicked =
            try_eventually(async || self.driver.find(By::Css(css)).await.ok()?.click().await.ok()).await;
        self.or_fail(clicked, &format!("{css} can be clicked")).await;
    }

    /// Presses Tab until the element has the focus. After the last element of the page, Firefox moves on to its own
    /// toolbar, so the page takes the focus back.
    pub async fn tabs_to(&self, css: &str) {
        let is_focused = format!(
            "(document.hasFocus() || window.focus(), document.activeElement?.matches({}))",
            json!(css)
        );
        self.presses_until(Key::Tab, &format!("{css} has the focus"), &is_focused).await;
    }

    /// Presses a key repeatedly until a JavaScript expression is true.
    pub async fn presses_until(&self, key: Key, what: &str, expression: &str) {
        let is_so = format!("!!({expression})");
        let pressing = async {
            while !self.evaluates::<bool>(&is_so).await {
                self.presses(key.clone()).await;
            }
        };
        self.or_fail(timeout(DEADLINE, pressing).await.ok(), what).await;
    }

    /// Presses keys in the focused element.
    pub async fn presses(&self, keys: impl Into<TypingData>) {
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Evaluates a JavaScript expression. A promise is awaited.
    pub async fn evaluates<T: DeserializeOwned>(&self, expression: &str) -> T {
        let script = format!("return {expression}");
        let value = self
            .driver
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        serde_json::from_value(value.json().clone()).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until a JavaScript expression is true; `what` describes that for the error message.
    pub async fn until(&self, what: &str, expression: &str) {
        let script = format!("return !!({expression})");
        let look = async || {
            let value = self.driver.execute(script.as_str(), Vec::new()).await.ok()?;
            (value.json() == &Value::Bool(true)).then_some(())
        };
        self.or_fail(try_eventually(look).await, what).await;
    }

    /// Returns the result of waiting for `what`. If there is none, fails with the text that the page shows instead.
    async fn or_fail<T>(&self, found: Option<T>, what: &str) -> T {
        let Some(found) = found else {
            let shown: String = self.evaluates("location.href + '\\n' + document.body.innerText").await;
            panic!(
                "waited in vain: {what}; the page shows:\n{shown}\n{}",
                self.console_errors().await.join("\n")
            );
        };
        found
    }

    /// Enters a name in the form that asks for one, with the keyboard alone.
    pub async fn enters_name(&self, name: &str) {
        self.until("the form asks for a name, and typing replaces the suggestion", NAME_FIELD_IS_READY).await;
        self.presses(name).await;
        self.presses(Key::Enter).await;
    }

    /// Changes the name in the user menu.
    pub async fn changes_name(&self, name: &str) {
        self.clicks("#user-menu").await;
        self.clicks("#rename").await;
        self.enters_name(name).await;
    }

    /// Waits until the badge shows that the page is connected.
    pub async fn is_connected(&self) {
        self.has_status("connected").await;
    }

    /// Waits until the badge shows this status.
    pub async fn has_status(&self, status: &str) {
        let is = format!("document.querySelector('#connection')?.dataset.status === '{status}'");
        self.until(&format!("the badge shows {status}"), &is).await;
    }

    /// Runs a script before the page's own code, on every load from now on in this tab.
    pub async fn before_load(&self, script: &str) {
        match &self.bidi {
            Some(bidi) => bidi.before_load(script).await,
            None => {
                _ = self.driver.cdp().page().add_script_to_evaluate_on_new_document(script).await.unwrap()
            }
        }
    }

    /// Takes the errors in the console since the last call. Chromium's include every failed request, Firefox's only what
    /// scripts logged and threw.
    pub async fn console_errors(&self) -> Vec<String> {
        if let Some(bidi) = &self.bidi {
            return bidi.console_errors();
        }
        let entries = self.driver.browser_log().await.unwrap();
        let errors = entries.into_iter().filter(|entry| entry.level == "SEVERE");
        errors.map(|entry| entry.message).collect()
    }
}

/// A JavaScript expression for the text of the first element that the selector finds, without marks of direction;
/// `undefined` while there is none.
pub fn words_of(css: &str) -> String {
    format!(
        "document.querySelector({})?.textContent.replace(/[\\u2066-\\u2069]/g, '').replace(/\\s+/g, ' ').trim()",
        json!(css)
    )
}
