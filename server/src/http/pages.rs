//! The client, as the node serves it: held in memory, precompressed, with one weak entity tag for all codings
//! of a file.
//!
//! It comes from a folder, or is built into the program. Paths that are no file are the client's own routes.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use axum::extract::State;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use shared::ErrorCode;

use crate::http::request::is_api;
use crate::http::{ApiError, AppState, accepted, conditional, headers};

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

const INDEX: &str = "index.html";
/// Stands in index.html where the page carries the name of its build.
const BUILD_MARK: &str = "__DUPLEX_BUILD__";
/// So many digits of a file's hash in its name say that it never changes.
const NAME_CHARS: usize = 16;
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");
const UNBUILT: &str = include_str!("unbuilt.html");

/// See the module.
pub struct Pages {
    build: String,
    policy: HeaderValue,
    files: BTreeMap<String, File>,
}

struct File {
    content_type: &'static str,
    tag: String,
    /// How long a browser may keep it without asking.
    keep: HeaderValue,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

impl Pages {
    /// The client that was built into the program; where there is none, one page that says how to build it.
    pub fn built_in() -> Pages {
        let files = FILES.iter().map(|(path, bytes)| ((*path).to_owned(), Bytes::from_static(bytes)));
        Pages::of(files.collect())
    }

    /// The client in a folder, read once, now.
    pub fn from_folder(folder: &Path) -> io::Result<Pages> {
        if !folder.join(INDEX).is_file() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it holds no index.html"));
        }
        let mut files = BTreeMap::new();
        read_folder(folder, "", &mut files)?;
        Ok(Pages::of(files))
    }

    /// Names the client: a hash of its index.html, which names all other files by their hashes.
    pub fn build(&self) -> &str {
        &self.build
    }

    fn of(mut files: BTreeMap<String, Bytes>) -> Pages {
        let index = files.remove(INDEX).unwrap_or(Bytes::from_static(UNBUILT.as_bytes()));
        let build = hash(&index);
        let index = String::from_utf8_lossy(&index).replace(BUILD_MARK, &build);
        let policy = headers::policy_of(&index);
        // The compressed ones hold the mark and not the name.
        files.retain(|path, _| !path.starts_with("index.html."));
        files.insert(INDEX.into(), index.into());
        let compressed = |path: &str, ending: &str| files.get(&format!("{path}{ending}")).cloned();
        let plain = files.iter().filter(|(path, _)| !path.ends_with(".br") && !path.ends_with(".gz"));
        let files = plain.map(|(path, bytes)| {
            let hash = hash(bytes);
            let file = File {
                content_type: content_type(path),
                // A strong one would say that plain and compressed bytes are the same.
                tag: format!("W/\"{hash}\""),
                // Not every name with a hash can be trusted: some tools hash what the file was before they changed it.
                keep: if path.contains(&hash[..NAME_CHARS]) { FOR_EVER } else { ASK_FIRST },
                plain: bytes.clone(),
                brotli: compressed(path, ".br"),
                gzip: compressed(path, ".gz"),
            };
            (path.clone(), file)
        });
        Pages { build, policy, files: files.collect() }
    }
}

/// Everything that is neither API nor socket.
pub async fn page(
    State(app): State<AppState>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let missing = || ApiError::new(ErrorCode::NotFound, "there is nothing under this address");
    let path = uri.path();
    if is_api(path) {
        return Err(missing());
    }
    if method != Method::GET && method != Method::HEAD {
        let detail = "pages accept only GET and HEAD";
        let error = ApiError::new(ErrorCode::MethodNotAllowed, detail);
        return Ok(([(ALLOW, "GET, HEAD")], error).into_response());
    }
    let files = &app.pages.files;
    let named = files.get(path.trim_start_matches('/'));
    let index = || files.get(INDEX).filter(|_| is_route(path, &headers));
    let mut response = answer(named.or_else(index).ok_or_else(missing)?, &headers);
    let answer = response.headers_mut();
    answer.insert(CONTENT_SECURITY_POLICY, app.pages.policy.clone());
    // Whether a path that is no file has a page at all depends on who asks.
    let vary = if named.is_some() { "Accept-Encoding" } else { "Accept, Accept-Encoding" };
    answer.insert(VARY, HeaderValue::from_static(vary));
    Ok(response)
}

/// Whether a path is one of the client's own: a browser asks for a page, and it is no file.
fn is_route(path: &str, headers: &HeaderMap) -> bool {
    let last = path.rsplit('/').next().unwrap_or("");
    path == "/" || (!last.contains('.') && accepted::accepts(headers, ACCEPT, "text/html"))
}

fn answer(file: &File, headers: &HeaderMap) -> Response {
    let accepts = |coding: &str| accepted::accepts(headers, ACCEPT_ENCODING, coding);
    let (body, coding) = match (&file.brotli, &file.gzip) {
        (Some(brotli), _) if accepts("br") => (brotli, Some("br")),
        (_, Some(gzip)) if accepts("gzip") => (gzip, Some("gzip")),
        _ => (&file.plain, None),
    };
    let known = conditional::has(headers, &file.tag);
    let kept = ([(ETAG, &file.tag)], [(CACHE_CONTROL, file.keep.clone())]);
    if known {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    let coding = coding.map(|coding| [(CONTENT_ENCODING, coding)]);
    (kept, [(CONTENT_TYPE, file.content_type)], coding, body.clone()).into_response()
}

fn read_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Bytes>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else {
            files.insert(format!("{prefix}{name}"), fs::read(entry.path())?.into());
        }
    }
    Ok(())
}

/// Half of a SHA-256, in hexadecimal: enough to tell two builds apart.
fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
