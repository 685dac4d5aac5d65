//! HTTP/2 frame by frame (RFC 9113), for what no library would send.

/// The first bytes of a connection.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A kind of frame.
pub const HEADERS: u8 = 1;
/// A kind of frame.
pub const RST_STREAM: u8 = 3;
/// A kind of frame.
pub const SETTINGS: u8 = 4;
/// A kind of frame.
pub const PING: u8 = 6;
/// A kind of frame.
pub const CONTINUATION: u8 = 9;
/// A flag of data and headers.
pub const END_STREAM: u8 = 1;
/// A flag of headers.
pub const END_HEADERS: u8 = 4;
/// A flag of pings and settings.
pub const ACK: u8 = 1;
/// `GET` of `https://localhost` without a path, by the numbers that HPACK has for it.
pub const GET: &[u8] = b"\x82\x87\x41\x09localhost";
/// The same with `POST`.
pub const POST: &[u8] = b"\x83\x87\x41\x09localhost";
/// The path `/`.
pub const ROOT: &[u8] = b"\x84";
/// A setting's number.
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

/// A frame of that kind.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The number of the stream that a client opens as its `n`th.
pub fn stream(n: u32) -> u32 {
    2 * n + 1
}

/// The settings with which a client allows so many bytes of an answer.
pub fn window(bytes: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&INITIAL_WINDOW_SIZE[..], &bytes.to_be_bytes()].concat())
}
