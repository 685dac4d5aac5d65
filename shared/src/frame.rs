//! The frames of the WebSocket: text, one JSON object each, with exactly one key, the frame's name.

use serde::{Deserialize, Serialize};

use crate::{DisplayName, Epoch, Event, Identity, Millis, Payload, Problem, Seq, Topic, UserId};

/// Client to node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ClientFrame {
    /// Subscribes to a topic. Answered by `head` or `refused`; subscribing again is harmless.
    Subscribe {
        /// The topic.
        topic: Topic,
        /// True if the others see this session in the presence.
        #[serde(default)]
        listed: Listed,
    },
    /// Ends a subscription. Harmless without one.
    Unsubscribe {
        /// The topic.
        topic: Topic,
    },
    /// Sends an ephemeral payload to the other subscribers. It is never logged, and may be lost.
    Signal {
        /// The topic. The session must be subscribed and listed there.
        topic: Topic,
        /// The content, of the topic kind's signal type.
        payload: Payload,
    },
    /// Asks for a `pong`.
    Ping {
        /// A time that comes back unchanged.
        at: Millis,
    },
    /// The answer to the node's `ping`.
    Pong {
        /// The time of the ping, unchanged.
        at: Millis,
    },
}

/// The visibility of a subscription in the topic's presence: on the wire `true`, which is the default, or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Listed {
    /// The others see the session, and it may signal.
    #[default]
    Yes,
    /// The session gets everything and is not seen, as for an overview of many topics.
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
    /// The first frame of every connection.
    Welcome(Box<Welcome>),
    /// The newest seq of a topic: a hint to pull the events that the reader lacks.
    Head {
        /// The topic.
        topic: Topic,
        /// The epoch of the log.
        epoch: Epoch,
        /// The newest seq; 0 if the topic has no events.
        seq: Seq,
    },
    /// An event, pushed once it is durable.
    Event(Event),
    /// Another session's signal.
    Signal {
        /// The topic.
        topic: Topic,
        /// The person who sent it.
        from: Identity,
        /// The content, of the topic kind's signal type.
        payload: Payload,
    },
    /// The people who are present: the whole state, not a difference.
    Presence {
        /// The topic.
        topic: Topic,
        /// The exact number of members.
        total: u64,
        /// The 50 members who have been there longest.
        members: Vec<Member>,
    },
    /// A subscription that is not allowed, or no longer.
    Refused {
        /// The topic.
        topic: Topic,
        /// The reason.
        problem: Problem,
    },
    /// A frame that could not be read or was not allowed. The connection stays open until the 20th within a
    /// minute, which closes it.
    Error {
        /// The problem with the frame.
        problem: Problem,
    },
    /// The node is stopping.
    Drain {
        /// The time after which to reconnect. Each client gets a different one.
        reconnect_after_ms: u64,
    },
    /// Asks for a `pong`.
    Ping {
        /// A time that comes back unchanged.
        at: Millis,
    },
    /// The answer to the client's `ping`.
    Pong {
        /// The time of the ping, unchanged.
        at: Millis,
    },
}

/// The introduction of a node to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Welcome {
    /// The version of this wire: 1.
    pub protocol: u32,
    /// The name of the client build that the node serves. A tab with another one is outdated.
    pub build: String,
    /// The name of the process.
    pub node: String,
    /// The name of this connection.
    pub session: String,
    /// The identity of the client.
    pub you: Identity,
    /// The node's clock, for the age of events; 0 if the node is too old to send it.
    #[serde(default)]
    pub now: Millis,
    /// Seconds between two pings of the node.
    pub heartbeat_secs: u32,
    /// The limits for the client.
    pub limits: SessionLimits,
}

/// The limits for one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionLimits {
    /// The largest frame that the node reads.
    pub frame_bytes_max: u32,
    /// The largest payload of an event.
    pub payload_bytes_max: u32,
    /// The largest payload of a signal.
    pub signal_bytes_max: u32,
    /// The number of subscriptions at a time.
    pub session_topics_max: u32,
    /// Frames a second. Past it the node reads more slowly.
    pub session_frames_per_sec: u32,
    /// Signals a second. Past it they are dropped.
    pub session_signals_per_sec: u32,
}

/// One person in a topic's presence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Member {
    /// The person's id.
    pub id: UserId,
    /// The person's present name.
    pub name: DisplayName,
    /// The number of sessions that the person has there.
    pub sessions: u32,
}
