//! Every limit of a node: one row each, which is the flag, the environment variable and the documentation. There are no
//! others that an operator can set.

use std::num::NonZeroU32;

use clap::Args;
use realtime::NodeLimits;
use shared::SessionLimits;

/// The limits of a node and of each client. Sizes are in bytes of UTF-8 on the wire.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Largest WebSocket frame a client may send; past it the socket closes with 1009
    #[arg(long, env = "DUPLEX_FRAME_BYTES_MAX", default_value_t = 16_384, value_parser = positive::<u32>)]
    pub frame_bytes_max: u32,
    /// Largest payload of an event; past it 413
    #[arg(long, env = "DUPLEX_PAYLOAD_BYTES_MAX", default_value_t = 8_192, value_parser = positive::<u32>)]
    pub payload_bytes_max: u32,
    /// Largest payload of a signal; past it an error frame
    #[arg(long, env = "DUPLEX_SIGNAL_BYTES_MAX", default_value_t = 1_024, value_parser = positive::<u32>)]
    pub signal_bytes_max: u32,
    /// Largest body of a request; past it 413
    #[arg(long, env = "DUPLEX_BODY_BYTES_MAX", default_value_t = 65_536, value_parser = positive::<u32>)]
    pub body_bytes_max: u32,
    /// Subscriptions of one socket; past it refused
    #[arg(long, env = "DUPLEX_SESSION_TOPICS_MAX", default_value_t = 100, value_parser = positive::<u32>)]
    pub session_topics_max: u32,
    /// Frames a second of one socket (four times as many at once); past it the node reads more slowly
    #[arg(long, env = "DUPLEX_SESSION_FRAMES_PER_SEC", default_value = "50", value_parser = positive::<NonZeroU32>)]
    pub session_frames_per_sec: NonZeroU32,
    /// Signals a second of one socket; past it they are dropped
    #[arg(long, env = "DUPLEX_SESSION_SIGNALS_PER_SEC", default_value = "10", value_parser = positive::<NonZeroU32>)]
    pub session_signals_per_sec: NonZeroU32,
    /// Publishes and new names a second of one person (five times as many at once); past it 429
    #[arg(long, env = "DUPLEX_IDENTITY_PUBLISHES_PER_SEC", default_value = "10", value_parser = positive::<NonZeroU32>)]
    pub identity_publishes_per_sec: NonZeroU32,
    /// New accounts a minute from one address (twice as many at once); past it 429
    #[arg(long, env = "DUPLEX_ADDRESS_ACCOUNTS_PER_MIN", default_value = "60", value_parser = positive::<NonZeroU32>)]
    pub address_accounts_per_min: NonZeroU32,
    /// Sockets, streams and waiting polls of one address; past it 429
    #[arg(long, env = "DUPLEX_ADDRESS_READERS_MAX", default_value_t = 500, value_parser = positive::<u32>)]
    pub address_readers_max: u32,
    /// TCP connections of one address; past it they are closed
    #[arg(long, env = "DUPLEX_ADDRESS_CONNECTIONS_MAX", default_value_t = 1_000, value_parser = positive::<u32>)]
    pub address_connections_max: u32,
    /// Bytes of memory that the requests of one address may take at once, mostly answers that nobody reads; past it 429
    /// [default: 16M, or a quarter of --node-bytes-max if that is less]
    #[arg(long, env = "DUPLEX_ADDRESS_BYTES_MAX", value_name = "BYTES", value_parser = bytes)]
    pub address_bytes_max: Option<u64>,
    /// Bytes of memory that the requests of the whole node may take at once; past it 503 for all but small ones [default:
    /// 256M, or a quarter of --memory-max if that is less]
    #[arg(long, env = "DUPLEX_NODE_BYTES_MAX", value_name = "BYTES", value_parser = bytes)]
    pub node_bytes_max: Option<u64>,
    /// Memory that the node may take, in bytes or like 512M. From 70 % of it, addresses with many sockets are refused more
    /// (503); from 80 %, the newer half of the largest is closed (1013) [default: the limit of its control group, as in a container]
    #[arg(long, env = "DUPLEX_MEMORY_MAX", value_name = "BYTES", value_parser = bytes)]
    pub memory_max: Option<u64>,
    /// Sockets, streams and waiting polls of the whole node; past it 503
    #[arg(long, env = "DUPLEX_NODE_SOCKETS_MAX", default_value_t = 100_000, value_parser = positive::<u32>)]
    pub node_sockets_max: u32,
    /// Frames that wait for one socket; events that do not fit are read from the log later
    #[arg(long, env = "DUPLEX_MAILBOX_FRAMES_MAX", default_value_t = 256, value_parser = positive::<u32>)]
    pub mailbox_frames_max: u32,
    /// Bytes that wait for one socket; events that do not fit are read from the log later
    #[arg(long, env = "DUPLEX_MAILBOX_BYTES_MAX", default_value_t = 262_144, value_parser = positive::<u32>)]
    pub mailbox_bytes_max: u32,
    /// Seconds that a connection may pause between two requests. It must be longer than a proxy in front keeps it, or the
    /// proxy sends a request into a connection that is just closing
    #[arg(long, env = "DUPLEX_KEEP_ALIVE_SECS", default_value_t = 150, value_parser = positive::<u32>)]
    pub keep_alive_secs: u32,
    /// Seconds between two pings to a client
    #[arg(long, env = "DUPLEX_HEARTBEAT_SECS", default_value_t = 25, value_parser = positive::<u32>)]
    pub heartbeat_secs: u32,
}

/// A quarter of the node's memory is for requests under way, and a quarter of that for one address.
const SHARE: u64 = 4;
const NODE_BYTES_MAX: u64 = 256 << 20;
const ADDRESS_BYTES_MAX: u64 = 16 << 20;
/// The least that a request takes beside its body.
const ADDRESS_BYTES_MIN: u64 = 32 * 1_024;
/// The memory of a node without clients.
const MEMORY_MIN: u64 = 16 << 20;

impl Limits {
    /// The bytes that all requests under way may take, in a node with that much memory.
    pub fn node_bytes_max(&self, memory_max: Option<u64>) -> usize {
        let share = memory_max.map_or(NODE_BYTES_MAX, |max| NODE_BYTES_MAX.min(max / SHARE));
        self.node_bytes_max.unwrap_or(share) as usize
    }

    /// The bytes that the requests of one address may take. It is always less than the whole, which leaves room for others.
    pub fn address_bytes_max(&self, memory_max: Option<u64>) -> usize {
        let share = self.node_bytes_max(memory_max) as u64 / SHARE;
        self.address_bytes_max.unwrap_or(ADDRESS_BYTES_MAX).min(share) as usize
    }

    /// Fails with the flag and its problem if the limits leave no room for a single request, in a node with that much
    /// memory.
    pub fn check(&self, memory_max: Option<u64>) -> Result<(), (&'static str, String)> {
        if let Some(max) = self.memory_max.filter(|max| *max < MEMORY_MIN) {
            return Err((
                "--memory-max",
                format!("{max} bytes are less than a node takes by itself; give 16M or more"),
            ));
        }
        let needed = ADDRESS_BYTES_MIN + u64::from(self.body_bytes_max);
        let given = self.address_bytes_max.filter(|max| *max < needed);
        if let Some(max) = given {
            let why = format!("{max} bytes are less than one request may take; give {needed} or more");
            return Err(("--address-bytes-max", why));
        }
        let needed = SHARE * needed;
        if let Some(max) = self.node_bytes_max.filter(|max| *max < needed) {
            let why = format!("{max} bytes are less than four requests may take; give {needed} or more");
            return Err(("--node-bytes-max", why));
        }
        if SHARE * (self.address_bytes_max(memory_max) as u64) < needed {
            let bytes = self.body_bytes_max;
            let why =
                format!("{bytes} bytes are too much for this memory; give less, or a larger --memory-max");
            return Err(("--body-bytes-max", why));
        }
        Ok(())
    }

    /// The limits that the engine enforces.
    pub fn of_node(&self) -> NodeLimits {
        NodeLimits {
            session: self.of_session(),
            mailbox_frames_max: self.mailbox_frames_max as usize,
            mailbox_bytes_max: self.mailbox_bytes_max as usize,
            heartbeat_secs: self.heartbeat_secs,
        }
    }

    fn of_session(&self) -> SessionLimits {
        SessionLimits {
            frame_bytes_max: self.frame_bytes_max,
            payload_bytes_max: self.payload_bytes_max,
            signal_bytes_max: self.signal_bytes_max,
            session_topics_max: self.session_topics_max,
            session_frames_per_sec: self.session_frames_per_sec.get(),
            session_signals_per_sec: self.session_signals_per_sec.get(),
        }
    }
}

/// Reads a number of bytes, with K, M or G for the powers of 1,024.
fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit = |letter: char| "KMG".find(letter.to_ascii_uppercase()).map(|place| 10 * (place as u32 + 1));
    let (digits, power) = match text.char_indices().last().and_then(|(at, last)| Some((at, unit(last)?))) {
        Some((at, power)) => (&text[..at], power),
        None => (text, 0),
    };
    let number = digits.parse::<u64>().ok().filter(|number| *number > 0);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = number.filter(|_| is_plain).and_then(|number| number.checked_mul(1 << power));
    bytes.ok_or_else(|| "must be a number of bytes, such as 536870912 or 512M".into())
}

fn positive<N: From<NonZeroU32>>(text: &str) -> Result<N, String> {
    let number = text.parse::<NonZeroU32>();
    number.map(N::from).map_err(|_| "must be a whole number from 1 to 4294967295".into())
}
