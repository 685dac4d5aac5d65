//! `EventStream`: server-sent events as a script reads them, block by block.

use reqwest::{Method, Response};

use super::{Answer, DEADLINE, Person, in_time};

/// See the module. Dropping it hangs up.
pub struct EventStream {
    response: Response,
    unread: String,
}

/// One block, up to its empty line; what is absent is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// The reader's position after it.
    pub id: String,
    /// What it is.
    pub event: String,
    /// What it says.
    pub data: String,
    /// When to come back, in milliseconds.
    pub retry: String,
    /// Whether it is only a sign of life.
    pub is_comment: bool,
}

impl EventStream {
    /// Asks for a stream. What is no stream is the answer that says why.
    pub async fn ask(
        person: &Person,
        path: &str,
        last_event_id: Option<&str>,
    ) -> Result<EventStream, Answer> {
        let request = person.request(Method::GET, path).header("accept", "text/event-stream");
        let request =
            last_event_id.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let response = in_time("the head of a stream", request.send()).await.expect("an answer");
        if response.status() != 200 {
            return Err(Answer::of(response).await.expect("a whole answer"));
        }
        Ok(EventStream { response, unread: String::new() })
    }

    /// Opens a stream.
    pub async fn open(person: &Person, path: &str, last_event_id: Option<&str>) -> EventStream {
        let opened = EventStream::ask(person, path, last_event_id).await;
        opened.unwrap_or_else(|answer| panic!("no stream: {} {}", answer.status, answer.text()))
    }

    /// A header of the answer.
    pub fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).map_or("", |value| value.to_str().expect("our headers are ASCII"))
    }

    /// The next block; nothing at the end, whether in order or not.
    pub async fn next(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let block = Block::read(block);
                self.unread = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk()).await;
            let chunk = chunk.expect("a block, a comment or the end").ok().flatten()?;
            self.unread.push_str(std::str::from_utf8(&chunk).expect("our blocks are ASCII here"));
        }
    }

    /// The next block that is more than a sign of life.
    pub async fn hears(&mut self) -> Block {
        loop {
            let block = self.next().await.expect("the stream goes on");
            if !block.is_comment {
                return block;
            }
        }
    }
}

impl Block {
    fn read(text: &str) -> Block {
        let mut block = Block::default();
        for line in text.lines() {
            match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                Some(("", _)) => block.is_comment = true,
                Some(("id", id)) => block.id = id.into(),
                Some(("event", event)) => block.event = event.into(),
                Some(("data", data)) => block.data.push_str(data),
                Some(("retry", retry)) => block.retry = retry.into(),
                _ => panic!("{line:?} is no field of a block"),
            }
        }
        block
    }
}
