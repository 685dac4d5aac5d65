//! HTTP/2 frame by frame (RFC 9113), for requests that no client library would send.

/// The first bytes of a connection.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Frame types.
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const CONTINUATION: u8 = 9;

// Flags of frames.
/// A flag of DATA and HEADERS frames.
pub const END_STREAM: u8 = 1;
/// A flag of HEADERS and CONTINUATION frames.
pub const END_HEADERS: u8 = 4;
/// A flag of PING and SETTINGS frames.
pub const ACK: u8 = 1;

/// The header block of a `GET` request to `https://localhost`, without the path, encoded with HPACK.
pub const GET: &[u8] = b"\x82\x87\x41\x09localhost";
/// The header block of a `POST` request to `https://localhost`, without the path.
pub const POST: &[u8] = b"\x83\x87\x41\x09localhost";
/// The header field of the path `/`.
pub const ROOT: &[u8] = b"\x84";
/// The identifier of a setting.
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns the identifier of the `n`th stream that a client opens, counted from 0.
pub fn stream(n: u32) -> u32 {
    2 * n + 1
}

/// Encodes the settings of a client that accepts this many bytes of each answer.
pub fn window(bytes: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&INITIAL_WINDOW_SIZE[..], &bytes.to_be_bytes()].concat())
}
