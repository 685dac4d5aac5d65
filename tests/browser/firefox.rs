//! Firefox, as the tests start it, and `Bidi`, which gives it what Chromium has by the DevTools protocol: scripts that
//! run before a page's own, and the errors of its console.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use thirtyfour::common::capabilities::firefox::FirefoxPreferences;
use thirtyfour::{Capabilities, CapabilitiesHelper, DesiredCapabilities};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::driver::Browser;
use crate::support::eventually;

/// A mouse, as with Chromium: 2 is "fine", 4 is "hover".
const MOUSE: [(&str, i64); 2] = [("ui.primaryPointerCapabilities", 6), ("ui.allPointerCapabilities", 6)];

/// A session of it with this profile.
pub fn capabilities(profile: &Path) -> Capabilities {
    let mut wanted = DesiredCapabilities::firefox();
    let profile = profile.display().to_string();
    for arg in ["-headless", "--width=1280", "--height=900", "-profile", &profile] {
        wanted.add_arg(arg).unwrap();
    }
    let mut preferences = FirefoxPreferences::new();
    for (name, value) in MOUSE {
        preferences.set(name, value).unwrap();
    }
    wanted.set_preferences(preferences).unwrap();
    wanted.set_firefox_binary(&Browser::Firefox.program()).unwrap();
    // Has the driver open a socket for `Bidi`.
    wanted.set("webSocketUrl", true).unwrap();
    wanted.into()
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection in the protocol WebDriver BiDi.
pub struct Bidi {
    commands: tokio::sync::Mutex<(u64, SplitSink<Socket, Message>)>,
    heard: Arc<Mutex<Heard>>,
}

/// Messages of the browser that nobody has asked for yet.
#[derive(Default)]
struct Heard {
    answers: BTreeMap<u64, Value>,
    errors: Vec<String>,
}

impl Bidi {
    /// Connects to the session with these capabilities, and notes the errors of its console from now on.
    pub async fn connect(session: &Capabilities) -> Bidi {
        let url = session.get("webSocketUrl").and_then(Value::as_str).expect("the driver speaks BiDi");
        let (socket, _) = connect_async(url).await.expect("the driver listens");
        let (commands, messages) = socket.split();
        let heard = Arc::<Mutex<Heard>>::default();
        tokio::spawn(listen(messages, heard.clone()));
        let bidi = Bidi { commands: tokio::sync::Mutex::new((0, commands)), heard };
        bidi.commands("session.subscribe", json!({ "events": ["log.entryAdded"] })).await;
        bidi
    }

    /// Runs a script before the code of every page that is loaded from now on.
    pub async fn before_load(&self, script: &str) {
        let function = format!("() => {{ {script} }}");
        self.commands("script.addPreloadScript", json!({ "functionDeclaration": function })).await;
    }

    /// The errors of the console since this was last asked.
    pub fn console_errors(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().errors)
    }

    async fn commands(&self, method: &str, params: Value) {
        let id = {
            let mut commands = self.commands.lock().await;
            commands.0 += 1;
            let command = json!({ "id": commands.0, "method": method, "params": params });
            commands.1.send(Message::text(command.to_string())).await.unwrap();
            commands.0
        };
        let is_answered = async || self.heard.lock().unwrap().answers.remove(&id);
        let answer = eventually(&format!("{method} is answered"), is_answered).await;
        assert_eq!(answer["type"], "success", "{method}: {answer}");
    }
}

/// Notes all that comes, until the session ends.
async fn listen(mut messages: SplitStream<Socket>, heard: Arc<Mutex<Heard>>) {
    while let Some(Ok(message)) = messages.next().await {
        let Ok(message) = serde_json::from_slice::<Value>(&message.into_data()) else { continue };
        let mut heard = heard.lock().unwrap();
        if let Some(id) = message["id"].as_u64() {
            heard.answers.insert(id, message);
        } else if message["params"]["level"] == "error" {
            heard.errors.push(message["params"]["text"].as_str().unwrap_or_default().to_owned());
        }
    }
}
