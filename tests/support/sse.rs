//! `SseStream`: server-sent events as a script reads them, one after the other.

use reqwest::{Method, Response};

use super::{DEADLINE, Person, TestResponse, in_time};

/// An open stream. Dropping it closes the connection.
pub struct SseStream {
    response: Response,
    unread: String,
}

/// A server-sent event, with the fields that the text has. Missing fields are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The reader's position after the event.
    pub id: String,
    /// The type of the event.
    pub event: String,
    /// The content of the event.
    pub data: String,
    /// The delay before a reconnect, in milliseconds.
    pub retry: String,
    /// True if the block is a comment, which only keeps the connection open.
    pub is_comment: bool,
}

impl SseStream {
    /// Opens a stream. Returns the answer if it is not a stream.
    pub async fn ask(
        person: &Person,
        path: &str,
        last_event_id: Option<&str>,
    ) -> Result<SseStream, TestResponse> {
        let mut request = person.request(Method::GET, path).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = in_time("the head of a stream", request.send()).await.expect("an answer");
        if response.status() != 200 {
            return Err(TestResponse::of(response).await.expect("a complete answer"));
        }
        Ok(SseStream { response, unread: String::new() })
    }

    /// Opens a stream. Fails the test if the answer is not a stream.
    pub async fn open(person: &Person, path: &str, last_event_id: Option<&str>) -> SseStream {
        let opened = SseStream::ask(person, path, last_event_id).await;
        opened.unwrap_or_else(|answer| panic!("not a stream: {} {}", answer.status, answer.text()))
    }

    /// Returns the value of a header of the answer, or an empty string if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.map_or("", |value| value.to_str().expect("the server's headers are ASCII"))
    }

    /// Receives the next event or comment; `None` once the stream has ended, gracefully or not.
    pub async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let event = SseEvent::parse(block);
                self.unread = rest.to_owned();
                return Some(event);
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk()).await;
            let chunk = chunk.expect("an event, a comment or the end arrives in time").ok().flatten()?;
            self.unread.push_str(std::str::from_utf8(&chunk).expect("the events of the tests are ASCII"));
        }
    }

    /// Receives the next event, and skips comments.
    pub async fn receive(&mut self) -> SseEvent {
        loop {
            let event = self.next().await.expect("the stream is open");
            if !event.is_comment {
                return event;
            }
        }
    }
}

impl SseEvent {
    fn parse(block: &str) -> SseEvent {
        let mut event = SseEvent::default();
        for line in block.lines() {
            match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                Some(("", _)) => event.is_comment = true,
                Some(("id", id)) => event.id = id.into(),
                Some(("event", name)) => event.event = name.into(),
                Some(("data", data)) => event.data.push_str(data),
                Some(("retry", retry)) => event.retry = retry.into(),
                _ => panic!("{line:?} is not a field of a server-sent event"),
            }
        }
        event
    }
}
