//! Every limit of a node: one row each, which is the flag, the environment variable and the documentation.
//!
//! What is not here is not limited. The core and the edge take the values they need from this one table.

use clap::Args;
use shared::SessionLimits;

/// The limits of a node and of each client. Sizes are in bytes of the wire's UTF-8.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Largest WebSocket frame a client may send; past it the socket closes with 1009
    #[arg(long, env = "DUPLEX_FRAME_BYTES_MAX", default_value_t = 16_384, value_parser = positive)]
    pub frame_bytes_max: u32,
    /// Largest payload of an event; past it 413
    #[arg(long, env = "DUPLEX_PAYLOAD_BYTES_MAX", default_value_t = 8_192, value_parser = positive)]
    pub payload_bytes_max: u32,
    /// Largest payload of a signal; past it an error frame
    #[arg(long, env = "DUPLEX_SIGNAL_BYTES_MAX", default_value_t = 1_024, value_parser = positive)]
    pub signal_bytes_max: u32,
    /// Largest body of a request; past it 413
    #[arg(long, env = "DUPLEX_BODY_BYTES_MAX", default_value_t = 65_536, value_parser = positive)]
    pub body_bytes_max: u32,
    /// Most subscriptions of one socket; past it refused
    #[arg(long, env = "DUPLEX_SESSION_TOPICS_MAX", default_value_t = 100, value_parser = positive)]
    pub session_topics_max: u32,
    /// Frames a second of one socket (four times as many at once); past it the node reads more slowly
    #[arg(long, env = "DUPLEX_SESSION_FRAMES_PER_SEC", default_value_t = 50, value_parser = positive)]
    pub session_frames_per_sec: u32,
    /// Signals a second of one socket; past it they are dropped
    #[arg(long, env = "DUPLEX_SESSION_SIGNALS_PER_SEC", default_value_t = 10, value_parser = positive)]
    pub session_signals_per_sec: u32,
    /// Publishes and new names a second of one person (five times as many at once); past it 429
    #[arg(long, env = "DUPLEX_IDENTITY_PUBLISHES_PER_SEC", default_value_t = 10, value_parser = positive)]
    pub identity_publishes_per_sec: u32,
    /// New guests a minute from one address (twice as many at once); past it 429
    #[arg(long, env = "DUPLEX_ADDRESS_GUESTS_PER_MIN", default_value_t = 60, value_parser = positive)]
    pub address_guests_per_min: u32,
    /// Sockets, streams and waiting polls of one address; past it 429
    #[arg(long, env = "DUPLEX_ADDRESS_READERS_MAX", default_value_t = 500, value_parser = positive)]
    pub address_readers_max: u32,
    /// TCP connections of one address; past it they are closed
    #[arg(long, env = "DUPLEX_ADDRESS_CONNECTIONS_MAX", default_value_t = 1_000, value_parser = positive)]
    pub address_connections_max: u32,
    /// Bytes of memory that the requests of one address may take at once, mostly answers that nobody reads; past it 429
    /// [default: 16M, or a quarter of --node-bytes-max where that is less]
    #[arg(long, env = "DUPLEX_ADDRESS_BYTES_MAX", value_name = "BYTES", value_parser = bytes)]
    pub address_bytes_max: Option<u64>,
    /// Bytes of memory that the requests of the whole node may take at once; past it 503 for all but small ones [default:
    /// 256M, or a quarter of --memory-max where that is less]
    #[arg(long, env = "DUPLEX_NODE_BYTES_MAX", value_name = "BYTES", value_parser = bytes)]
    pub node_bytes_max: Option<u64>,
    /// Memory that the node may take, in bytes or like 512M: from 70 % of it on crowds of one address are not let in
    /// (503), and from 80 % on the largest is sent away (1013) [default: the limit of its control group, as in a
    /// container]
    #[arg(long, env = "DUPLEX_MEMORY_MAX", value_name = "BYTES", value_parser = bytes)]
    pub memory_max: Option<u64>,
    /// Sockets of the whole node; past it 503
    #[arg(long, env = "DUPLEX_NODE_SOCKETS_MAX", default_value_t = 100_000, value_parser = positive)]
    pub node_sockets_max: u32,
    /// Frames that wait for one socket; what does not fit is read from the log later
    #[arg(long, env = "DUPLEX_OUTBOX_FRAMES_MAX", default_value_t = 256, value_parser = positive)]
    pub outbox_frames_max: u32,
    /// Bytes that wait for one socket; what does not fit is read from the log later
    #[arg(long, env = "DUPLEX_OUTBOX_BYTES_MAX", default_value_t = 262_144, value_parser = positive)]
    pub outbox_bytes_max: u32,
    /// Seconds that a connection may pause between two requests: longer than a proxy in front keeps it, or it sends one
    /// into a connection that just closes
    #[arg(long, env = "DUPLEX_KEEP_ALIVE_SECS", default_value_t = 150, value_parser = positive)]
    pub keep_alive_secs: u32,
    /// Seconds between two pings to a client
    #[arg(long, env = "DUPLEX_HEARTBEAT_SECS", default_value_t = 25, value_parser = positive)]
    pub heartbeat_secs: u32,
}

/// The part of the node's memory that is for requests under way, and the part of that which one address may have.
const SHARE: u64 = 4;
const NODE_BYTES_MAX: u64 = 256 << 20;
const ADDRESS_BYTES_MAX: u64 = 16 << 20;
/// Less is no room for a request with its body.
const ADDRESS_BYTES_MIN: u64 = 32 * 1_024;
/// A node alone takes as much.
const MEMORY_MIN: u64 = 16 << 20;

impl Limits {
    /// The bytes that requests under way may take in a node with that much memory.
    pub fn node_bytes_max(&self, memory_max: Option<u64>) -> usize {
        let share = memory_max.map_or(NODE_BYTES_MAX, |max| NODE_BYTES_MAX.min(max / SHARE));
        self.node_bytes_max.unwrap_or(share) as usize
    }

    /// The same of one address: others have room, however much it takes.
    pub fn address_bytes_max(&self, memory_max: Option<u64>) -> usize {
        let share = self.node_bytes_max(memory_max) as u64 / SHARE;
        self.address_bytes_max.unwrap_or(ADDRESS_BYTES_MAX).min(share) as usize
    }

    /// Fails with the flag and what is wrong with it where limits leave no room for a single request in a node with
    /// that much memory.
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
            let why = format!("{bytes} bytes are too much for this memory; give less, or a larger --memory-max");
            return Err(("--body-bytes-max", why));
        }
        Ok(())
    }

    /// What a client is told in its `welcome`.
    pub fn of_session(&self) -> SessionLimits {
        SessionLimits {
            frame_bytes_max: self.frame_bytes_max,
            payload_bytes_max: self.payload_bytes_max,
            signal_bytes_max: self.signal_bytes_max,
            session_topics_max: self.session_topics_max,
            session_frames_per_sec: self.session_frames_per_sec,
            session_signals_per_sec: self.session_signals_per_sec,
        }
    }
}

/// A number of bytes, with K, M or G for the powers of 1,024.
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

fn positive(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(0) | Err(_) => Err("must be a whole number from 1 to 4294967295".into()),
        Ok(number) => Ok(number),
    }
}
