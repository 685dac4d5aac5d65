//! HTTP/1.1 as plain bytes, for requests that no client library would send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::in_time;

/// Sends bytes as they are, and returns everything that the server answers until it closes the connection.
pub async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    in_time("the server closes", connection.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}
