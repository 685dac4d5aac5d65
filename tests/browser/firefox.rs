//! The capabilities of a Firefox session; and `Bidi`, which replaces the DevTools protocol there: scripts that run
//! before the page's own, and the errors in the console.

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

/// A mouse, as for Chromium: 2 is "fine", 4 is "hover".
const MOUSE: [(&str, i64); 2] = [("ui.primaryPointerCapabilities", 6), ("ui.allPointerCapabilities", 6)];

/// A session with this profile.
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
    // Makes the driver open a socket for `Bidi`.
    wanted.set("webSocketUrl", true).unwrap();
    wanted.into()
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection that speaks WebDriver BiDi.
pub struct Bidi {
    commands: tokio::sync::Mutex<(u64, SplitSink<Socket, Message>)>,
    received: Arc<Mutex<Received>>,
}

/// Messages of the browser that were not taken yet.
#[derive(Default)]
struct Received {
    answers: BTreeMap<u64, Value>,
    errors: Vec<String>,
}

impl Bidi {
    /// Connects to the session with these capabilities, and records the errors in its console from now on.
    pub async fn connect(session: &Capabilities) -> Bidi {
        let url = session.get("webSocketUrl").and_then(Value::as_str).expect("the driver speaks BiDi");
        let (socket, _) = connect_async(url).await.expect("the driver listens");
        let (commands, messages) = socket.split();
        let received = Arc::<Mutex<Received>>::default();
        tokio::spawn(listen(messages, received.clone()));
        let bidi = Bidi { commands: tokio::sync::Mutex::new((0, commands)), received };
        bidi.sends_command("session.subscribe", json!({ "events": ["log.entryAdded"] })).await;
        bidi
    }

    /// Runs a script before the page's own code, on every load from now on.
    pub async fn before_load(&self, script: &str) {
        let function = format!("() => {{ {script} }}");
        self.sends_command("script.addPreloadScript", json!({ "functionDeclaration": function })).await;
    }

    /// Takes the errors in the console since the last call.
    pub fn console_errors(&self) -> Vec<String> {
        std::mem::take(&mut self.received.lock().unwrap().errors)
    }

    async fn sends_command(&self, method: &str, params: Value) {
        let id = {
            let mut commands = self.commands.lock().await;
            commands.0 += 1;
            let command = json!({ "id": commands.0, "method": method, "params": params });
            commands.1.send(Message::text(command.to_string())).await.unwrap();
            commands.0
        };
        let is_answered = async || self.received.lock().unwrap().answers.remove(&id);
        let answer = eventually(&format!("{method} is answered"), is_answered).await;
        assert_eq!(answer["type"], "success", "{method}: {answer}");
    }
}

/// Records all messages until the session ends.
async fn listen(mut messages: SplitStream<Socket>, received: Arc<Mutex<Received>>) {
    while let Some(Ok(message)) = messages.next().await {
        let Ok(message) = serde_json::from_slice::<Value>(&message.into_data()) else { continue };
        let mut received = received.lock().unwrap();
        if let Some(id) = message["id"].as_u64() {
            received.answers.insert(id, message);
        } else if message["params"]["level"] == "error" {
            received.errors.push(message["params"]["text"].as_str().unwrap_or_default().to_owned());
        }
    }
}
