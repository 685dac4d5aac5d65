//! `Window`: one person's browser, with a profile of its own. Whatever is looked for is waited for.

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

/// A crowded machine starts a browser slowly.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The field for a name has the focus, and typing replaces all that it holds.
const IS_ASKED: &str = "document.activeElement?.matches('#display-name') \
                        && document.activeElement.selectionStart === 0 \
                        && document.activeElement.selectionEnd === document.activeElement.value.length";

/// See the module. The fields end in this order: the session, then what it needs.
pub struct Window {
    /// The session, for what has no verb here.
    pub driver: WebDriver,
    bidi: Option<Bidi>,
    _process: Driver,
    _profile: TempDir,
    url: String,
    has_tabs: bool,
}

impl Window {
    /// A fresh browser that will visit this server.
    pub async fn of(server: &TestServer) -> Window {
        Window::at(server.url()).await
    }

    /// A fresh browser that will visit this address. As most tests look at pages alone, it may come without tabs.
    pub async fn at(url: String) -> Window {
        let profile = TempDir::new().unwrap();
        let wanted = match Browser::chosen() {
            Browser::Chromium => chromium::of_pages_alone(profile.path()),
            Browser::Firefox => firefox::capabilities(profile.path()),
        };
        Window::start(wanted, profile, url, false).await
    }

    /// A fresh browser with tabs that hide each other, as a person has it. The flags are Chromium's.
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

    /// A fresh browser whose person has come as a newcomer does, by the first page.
    pub async fn entered(server: &TestServer, name: &str) -> Window {
        let window = Window::of(server).await;
        window.enters(name).await;
        window.is_connected().await;
        window
    }

    /// A fresh browser whose person has followed a link to this path, and named themselves there.
    pub async fn signed_in(server: &TestServer, name: &str, path: &str) -> Window {
        let window = Window::of(server).await;
        window.visits(path).await;
        window.names_itself(name).await;
        window.is_connected().await;
        window
    }

    /// Opens the first page and names oneself there.
    pub async fn enters(&self, name: &str) {
        self.visits("/").await;
        self.names_itself(name).await;
    }

    /// Opens a path in one more tab, which hides the one before. Gives that one's handle and its own.
    pub async fn opens_a_tab(&self, path: &str) -> (WindowHandle, WindowHandle) {
        assert!(self.has_tabs, "this browser may have none: it is to be started `with_tabs`");
        let first = self.driver.window().await.unwrap();
        let second = self.driver.new_tab().await.unwrap();
        self.turns_to(&second).await;
        self.visits(path).await;
        (first, second)
    }

    /// Opens an empty tab, which hides this page, and stays here.
    pub async fn is_hidden_by_a_tab(&self) {
        assert!(self.has_tabs, "this browser may have none: it is to be started `with_tabs`");
        let _: Option<bool> = self.tells("(window.open('about:blank'), null)").await;
        self.until("the tab is hidden", "document.hidden").await;
    }

    /// Goes on in another tab.
    pub async fn turns_to(&self, tab: &WindowHandle) {
        self.driver.switch_to_window(tab.clone()).await.unwrap();
    }

    /// Opens a path of the server.
    pub async fn visits(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.url)).await.unwrap();
    }

    /// Loads the page again.
    pub async fn reloads(&self) {
        self.driver.refresh().await.unwrap();
    }

    /// The first element that the selector finds, once there is one.
    pub async fn finds(&self, css: &str) -> WebElement {
        let found = try_eventually(async || self.driver.find(By::Css(css)).await.ok()).await;
        self.or_tell(found, &format!("{css} is there")).await
    }

    /// Types into a field, whatever it holds.
    pub async fn types(&self, css: &str, text: &str) {
        self.finds(css).await.send_keys(text).await.unwrap();
    }

    /// Clicks, once nothing is in the way.
    pub async fn clicks(&self, css: &str) {
        let clicked =
            try_eventually(async || self.driver.find(By::Css(css)).await.ok()?.click().await.ok()).await;
        self.or_tell(clicked, &format!("{css} can be clicked")).await;
    }

    /// Presses Tab until this has the focus. Firefox goes on to its own toolbar behind the last element, and keys then
    /// reach the page only in part: it is called back.
    pub async fn tabs_to(&self, css: &str) {
        let is_focused = format!(
            "(document.hasFocus() || window.focus(), document.activeElement?.matches({}))",
            json!(css)
        );
        self.presses_until(Key::Tab, &format!("{css} has the focus"), &is_focused).await;
    }

    /// Presses a key again and again, until a JavaScript expression is true.
    pub async fn presses_until(&self, key: Key, what: &str, expression: &str) {
        let is_so = format!("!!({expression})");
        let pressing = async {
            while !self.tells::<bool>(&is_so).await {
                self.presses(key.clone()).await;
            }
        };
        self.or_tell(timeout(DEADLINE, pressing).await.ok(), what).await;
    }

    /// Presses keys where the focus is.
    pub async fn presses(&self, keys: impl Into<TypingData>) {
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// What a JavaScript expression gives.
    pub async fn tells<T: DeserializeOwned>(&self, expression: &str) -> T {
        let script = format!("return {expression}");
        let told = self
            .driver
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        serde_json::from_value(told.json().clone()).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&self, what: &str, expression: &str) {
        let script = format!("return !!({expression})");
        let look = async || {
            let told = self.driver.execute(script.as_str(), Vec::new()).await.ok()?;
            (told.json() == &Value::Bool(true)).then_some(())
        };
        self.or_tell(try_eventually(look).await, what).await;
    }

    /// What was waited for. When it never came, the test fails and tells what the page shows instead.
    async fn or_tell<T>(&self, found: Option<T>, what: &str) -> T {
        let Some(found) = found else {
            let shown: String = self.tells("location.href + '\\n' + document.body.innerText").await;
            panic!(
                "waited in vain: {what}; the page shows:\n{shown}\n{}",
                self.console_errors().await.join("\n")
            );
        };
        found
    }

    /// Gives the name it is asked for, by keys alone.
    pub async fn names_itself(&self, name: &str) {
        self.until("a name is asked for, and typing replaces what is in the field", IS_ASKED).await;
        self.presses(name).await;
        self.presses(Key::Enter).await;
    }

    /// Takes another name by the menu.
    pub async fn renames_itself(&self, name: &str) {
        self.clicks("#user-menu").await;
        self.clicks("#rename").await;
        self.names_itself(name).await;
    }

    /// Waits for the badge to say so.
    pub async fn is_connected(&self) {
        self.has_status("connected").await;
    }

    /// Waits for the badge to say this.
    pub async fn has_status(&self, status: &str) {
        let is = format!("document.querySelector('#connection')?.dataset.status === '{status}'");
        self.until(&format!("the badge says {status}"), &is).await;
    }

    /// Runs a script before the code of every page that is loaded from now on, in this tab.
    pub async fn before_load(&self, script: &str) {
        match &self.bidi {
            Some(bidi) => bidi.before_load(script).await,
            None => {
                _ = self.driver.cdp().page().add_script_to_evaluate_on_new_document(script).await.unwrap()
            }
        }
    }

    /// The errors in the console since this was last asked. Chromium's hold every request that failed, Firefox's only
    /// what scripts wrote and threw.
    pub async fn console_errors(&self) -> Vec<String> {
        if let Some(bidi) = &self.bidi {
            return bidi.console_errors();
        }
        let entries = self.driver.browser_log().await.unwrap();
        let errors = entries.into_iter().filter(|entry| entry.level == "SEVERE");
        errors.map(|entry| entry.message).collect()
    }
}

/// A JavaScript expression for the words of the first such element, without marks of direction; undefined while
/// there is none.
pub fn words_of(css: &str) -> String {
    format!(
        "document.querySelector({})?.textContent.replace(/[\\u2066-\\u2069]/g, '').replace(/\\s+/g, ' ').trim()",
        json!(css)
    )
}
