//! Step `release`: checks that the binary of `cargo xtask build`, alone in an empty folder, is the whole app.

use crate::failure::Result;
use crate::process::{self, ChildProcess};
use crate::{files, project};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Copies the binary into an empty folder, starts it there, and loads its page as a browser would.
pub(super) fn check(binary: &Path) -> Result {
    let folder = std::env::temp_dir().join(format!("{}-alone-{}", project::NAME, std::process::id()));
    files::remove(&folder)?;
    let copy = folder.join(project::NAME);
    files::copy(binary, &copy)?;
    let result = visit(&copy, &folder);
    files::remove(&folder)?;
    result
}

fn visit(binary: &Path, folder: &Path) -> Result {
    let (mut server, addresses) = start(binary, folder)?;
    let address = addresses.recv_timeout(TIMEOUT).map_err(|_| "the server did not print its address")?;
    let page = fetch(&address, "/")?;
    let script = first_script(&page).ok_or_else(|| format!("the page has no script:\n{page}"))?;
    let script = fetch(&address, script)?;
    if !script.contains("WebAssembly") {
        return Err("the page's script does not load WebAssembly".into());
    }
    match server.stop() {
        Some(status) if status.success() => Ok(()),
        status => Err(format!("the server did not stop cleanly: {status:?}").into()),
    }
}

/// Starts the server, and returns it with the addresses that it prints.
fn start(binary: &Path, folder: &Path) -> Result<(ChildProcess, Receiver<String>)> {
    let (sender, addresses) = mpsc::channel();
    let pipe = || {
        let sender = sender.clone();
        process::line_pipe(move |line| {
            if let Some(address) = address_in(&line) {
                // Only the first address is received.
                let _ = sender.send(address);
            }
        })
    };
    let mut command = Command::new(binary);
    command.args(["--listen", "127.0.0.1:0"]).current_dir(folder).env_remove("DUPLEX_CLIENT_FILES");
    let server = ChildProcess::spawn(command.stdout(pipe()?).stderr(pipe()?))?;
    Ok((server, addresses))
}

/// `127.0.0.1:40123` in a line such as `listening on http://127.0.0.1:40123`.
fn address_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("listening")?.1.split_once("http://")?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c))).unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

/// Path of the first `.js` file in a page.
fn first_script(page: &str) -> Option<&str> {
    page.split(['"', '\'']).find(|word| word.starts_with('/') && word.ends_with(".js"))
}

/// Body of the answer to a GET request; any status but 200 is an error.
fn fetch(address: &str, path: &str) -> Result<String> {
    let answer = http_get(address, path).map_err(|error| format!("GET {path} failed: {error}"))?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(format!("GET {path} was answered with\n{answer}").into()),
    }
}

fn http_get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/html, */*\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_plain_and_in_coloured_logs() {
        let address = Some("127.0.0.1:40123".to_owned());
        assert_eq!(address_in("INFO listening on http://127.0.0.1:40123"), address);
        assert_eq!(address_in("listening \x1b[3maddress\x1b[0m=\"http://127.0.0.1:40123/\"\x1b[0m"), address);
        assert_eq!(address_in("starting; see http://127.0.0.1:8080"), None);
    }

    #[test]
    fn the_script_of_a_page_is_found() {
        assert_eq!(first_script(r#"<link href="/a.css"><link href="/b-1.js">"#), Some("/b-1.js"));
        assert_eq!(first_script("import init from '/c.js';"), Some("/c.js"));
        assert_eq!(first_script("<p>not built</p>"), None);
    }
}
