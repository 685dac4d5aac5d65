//! The promise of `cargo xtask build`: its one file, alone in an empty folder, is the whole app.

use crate::failure::{Failure, Result};
use crate::process::{self, ChildProcess};
use crate::{files, project};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Copies the binary away from everything, starts it, and visits it as a browser would.
pub(super) fn check(binary: &Path) -> Result {
    let folder = std::env::temp_dir().join(format!("{}-alone-{}", project::NAME, std::process::id()));
    files::remove(&folder)?;
    let alone = folder.join(project::NAME);
    files::copy(binary, &alone)?;
    let visited = visit(&alone, &folder);
    files::remove(&folder)?;
    visited
}

fn visit(binary: &Path, folder: &Path) -> Result {
    let mut command = Command::new(binary);
    command.args(["--listen", "127.0.0.1:0"]).current_dir(folder).env_remove("DUPLEX_PAGES");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = ChildProcess::spawn(&mut command)?;
    let address = wait_for_address(&mut server)?;
    let page = fetch(&address, "/")?;
    let script = first_script(&page).ok_or_else(|| format!("its page names no script:\n{page}"))?;
    let script = fetch(&address, script)?;
    if !script.contains("WebAssembly") {
        return Err("the script that its page names does not load WebAssembly".into());
    }
    match server.stop() {
        Some(status) if status.success() => Ok(()),
        status => Err(format!("asked to end, it ended with {status:?}").into()),
    }
}

/// Where it listens, as it says itself. What else it says is read too, so that it need not wait for us.
fn wait_for_address(server: &mut ChildProcess) -> Result<String> {
    let (found, first) = mpsc::channel();
    let child = server.child();
    send_addresses(child.stdout.take(), found.clone());
    send_addresses(child.stderr.take(), found);
    first.recv_timeout(TIMEOUT).map_err(|_| Failure::from("it did not say where it listens"))
}

fn send_addresses(stream: Option<impl Read + Send + 'static>, found: mpsc::Sender<String>) {
    let hosts = stream.into_iter().flat_map(process::lines).filter_map(|line| host_in(&line));
    // Nobody waits for a second address.
    thread::spawn(move || hosts.for_each(|host| drop(found.send(host))));
}

/// `127.0.0.1:40123` in a line such as `listening on http://127.0.0.1:40123`.
fn host_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("listening")?.1.split_once("http://")?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c))).unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

/// The path of the first `.js` file in a page.
fn first_script(page: &str) -> Option<&str> {
    page.split(['"', '\'']).find(|word| word.starts_with('/') && word.ends_with(".js"))
}

/// The answer to a GET, which must be a 200.
fn fetch(host: &str, path: &str) -> Result<String> {
    let answer = http_get(host, path).map_err(|error| format!("GET {path} failed: {error}"))?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(format!("GET {path} was answered with\n{answer}").into()),
    }
}

fn http_get(host: &str, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html, */*\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_plain_and_in_coloured_logs() {
        let host = Some("127.0.0.1:40123".to_owned());
        assert_eq!(host_in("INFO listening on http://127.0.0.1:40123"), host);
        assert_eq!(host_in("listening \x1b[3maddress\x1b[0m=\"http://127.0.0.1:40123/\"\x1b[0m"), host);
        assert_eq!(host_in("starting; see http://127.0.0.1:8080"), None);
    }

    #[test]
    fn the_script_of_a_page_is_found() {
        assert_eq!(first_script(r#"<link href="/a.css"><link href="/b-1.js">"#), Some("/b-1.js"));
        assert_eq!(first_script("import init from '/c.js';"), Some("/c.js"));
        assert_eq!(first_script("<p>not built</p>"), None);
    }
}
