//! What crosses the WebSocket: text frames, one JSON object each, with exactly one key, the frame's name.

use serde::{Deserialize, Serialize};

use crate::{DisplayName, Epoch, Event, Identity, Millis, Payload, Problem, Seq, Topic, UserId};

/// Client to node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ClientFrame {
    /// "Tell me what happens there." Answered by `head` or `refused`; asking again is harmless.
    Subscribe {
        /// What to listen to.
        topic: Topic,
        /// Whether the others see this session in the presence.
        #[serde(default)]
        listed: Listed,
    },
    /// "Stop." Harmless where not subscribed.
    Unsubscribe {
        /// What to stop listening to.
        topic: Topic,
    },
    /// An ephemeral word to the others there; never logged, may be lost.
    Signal {
        /// Where; only where subscribed and listed.
        topic: Topic,
        /// Of the topic kind's signal type.
        payload: Payload,
    },
    /// Asks for a `pong`.
    Ping {
        /// Comes back unchanged.
        at: Millis,
    },
    /// The answer to the node's `ping`.
    Pong {
        /// As received.
        at: Millis,
    },
}

/// Whether a subscription shows in the topic's presence: `true` on the wire when it does, which is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Listed {
    /// Seen by the others, and may signal.
    #[default]
    Yes,
    /// Hears everything and is not seen: an overview of many topics.
    No,
}

impl From<bool> for Listed {
    fn from(listed: bool) -> Listed {
        if listed { Listed::Yes } else { Listed::No }
    }
}

impl From<Listed> for bool {
    fn from(listed: Listed) -> bool {
        listed == Listed::Yes
    }
}

/// Node to client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ServerFrame {
    /// Always the first.
    Welcome(Box<Welcome>),
    /// The newest seq of a topic: a hint to pull whatever the reader lacks.
    Head {
        /// Which topic.
        topic: Topic,
        /// The log's life.
        epoch: Epoch,
        /// The newest seq, 0 when nothing was published there.
        seq: Seq,
    },
    /// Pushed once it is durable.
    Event(Event),
    /// Another session's signal.
    Signal {
        /// Where it was said.
        topic: Topic,
        /// Who said it.
        from: Identity,
        /// Of the topic kind's signal type.
        payload: Payload,
    },
    /// Who is there: the whole state, not a difference.
    Presence {
        /// Where.
        topic: Topic,
        /// How many members, exactly.
        total: u64,
        /// The 50 who have been there longest.
        members: Vec<Member>,
    },
    /// This subscription is not, or no longer, allowed.
    Refused {
        /// Which one.
        topic: Topic,
        /// Why.
        problem: Problem,
    },
    /// A frame that could not be read or was not allowed. The connection stays open, up to 20 of them in a minute.
    Error {
        /// What was wrong with it.
        problem: Problem,
    },
    /// This node is going away.
    Drain {
        /// Come back after this long. Each client gets another number.
        reconnect_after_ms: u64,
    },
    /// Asks for a `pong`.
    Ping {
        /// Comes back unchanged.
        at: Millis,
    },
    /// The answer to the client's `ping`.
    Pong {
        /// As received.
        at: Millis,
    },
}

/// What a node tells a client first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Welcome {
    /// The version of this wire: 1.
    pub protocol: u32,
    /// Names the client that the node serves; a page that carries another one is old.
    pub build: String,
    /// Names the process.
    pub node: String,
    /// Names this connection on that node.
    pub session: String,
    /// Who the node takes the client for.
    pub you: Identity,
    /// The node's clock, for telling the age of events; 0 from a node that does not tell.
    #[serde(default)]
    pub now: Millis,
    /// How often the node pings.
    pub heartbeat_secs: u32,
    /// What the client must keep to.
    pub limits: SessionLimits,
}

/// The limits that concern one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionLimits {
    /// The largest frame the node reads.
    pub frame_bytes_max: u32,
    /// The largest payload of an event.
    pub payload_bytes_max: u32,
    /// The largest payload of a signal.
    pub signal_bytes_max: u32,
    /// The most subscriptions at a time.
    pub session_topics_max: u32,
    /// Past it the node reads more slowly.
    pub session_frames_per_sec: u32,
    /// Past it signals are dropped.
    pub session_signals_per_sec: u32,
}

/// One person in a topic's presence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Member {
    /// Who.
    pub id: UserId,
    /// What they are called now.
    pub name: DisplayName,
    /// How many windows they have open there.
    pub sessions: u32,
}
