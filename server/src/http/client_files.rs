//! `ClientFiles`: the built client, kept in memory and precompressed, with one weak entity tag for all codings of a file.
//!
//! It is read from a folder, or embedded in the program. A path that is not a file is a route of the client.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
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

use crate::http::error::{ApiError, is_api};
use crate::http::guard::headers;
use crate::http::negotiation::{accepts, has_tag};

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

const INDEX: &str = "index.html";
/// The placeholder in index.html for the build's name.
const BUILD_MARK: &str = "__DUPLEX_BUILD__";
/// Digits of its hash that a file's name must contain for the file to count as immutable.
const NAME_CHARS: usize = 16;
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
const UNBUILT: &str = include_str!("unbuilt.html");

/// All files of the client, by path.
pub struct ClientFiles {
    build: String,
    policy: HeaderValue,
    files: BTreeMap<String, File>,
}

struct File {
    content_type: &'static str,
    tag: String,
    cache_control: HeaderValue,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

impl ClientFiles {
    /// Returns the client that is embedded in the program. Without one, its only file is a page that explains how to build it.
    pub fn built_in() -> ClientFiles {
        let files = FILES.iter().map(|(path, bytes)| ((*path).to_owned(), Bytes::from_static(bytes)));
        ClientFiles::of(files.collect())
    }

    /// Reads the client from a folder. Later changes there have no effect. Fails if the folder has no index.html.
    pub fn from_folder(folder: &Path) -> io::Result<ClientFiles> {
        if !folder.join(INDEX).is_file() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it contains no index.html"));
        }
        let mut files = BTreeMap::new();
        read_folder(folder, "", &mut files)?;
        Ok(ClientFiles::of(files))
    }

    /// The name of the build: a hash of index.html, which names all other files by their hashes.
    pub fn build(&self) -> &str {
        &self.build
    }

    fn of(mut files: BTreeMap<String, Bytes>) -> ClientFiles {
        let index = files.remove(INDEX).unwrap_or(Bytes::from_static(UNBUILT.as_bytes()));
        let build = hash(&index);
        let index = String::from_utf8_lossy(&index).replace(BUILD_MARK, &build);
        let policy = headers::policy_of(&index);
        // The compressed versions of index.html still contain the placeholder.
        files.retain(|path, _| !path.starts_with("index.html."));
        files.insert(INDEX.into(), index.into());
        let compressed = |path: &str, ending: &str| files.get(&format!("{path}{ending}")).cloned();
        let plain = files.iter().filter(|(path, _)| !path.ends_with(".br") && !path.ends_with(".gz"));
        let files = plain.map(|(path, bytes)| {
            let hash = hash(bytes);
            let file = File {
                content_type: content_type(path),
                // Weak, because plain and compressed bytes differ.
                tag: format!("W/\"{hash}\""),
                // A hash in a name is not enough: some tools hash a file before they change it.
                cache_control: if path.contains(&hash[..NAME_CHARS]) { IMMUTABLE } else { REVALIDATE },
                plain: bytes.clone(),
                brotli: compressed(path, ".br"),
                gzip: compressed(path, ".gz"),
            };
            (path.clone(), file)
        });
        ClientFiles { build, policy, files: files.collect() }
    }
}

/// Serves a file or the client's document, for every path that is neither API nor socket.
pub async fn serve(
    State(client): State<Arc<ClientFiles>>,
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
        let detail = "this address accepts only GET and HEAD";
        let error = ApiError::new(ErrorCode::MethodNotAllowed, detail);
        return Ok(([(ALLOW, "GET, HEAD")], error).into_response());
    }
    let files = &client.files;
    let named = files.get(path.trim_start_matches('/'));
    let index = || files.get(INDEX).filter(|_| is_route(path, &headers));
    let mut response = answer(named.or_else(index).ok_or_else(missing)?, &headers);
    let answer = response.headers_mut();
    answer.insert(CONTENT_SECURITY_POLICY, client.policy.clone());
    // A path that is not a file is answered only for callers that accept HTML.
    let vary = if named.is_some() { "Accept-Encoding" } else { "Accept, Accept-Encoding" };
    answer.insert(VARY, HeaderValue::from_static(vary));
    Ok(response)
}

/// True if the path is a route of the client: it does not look like a file, and the caller accepts HTML.
fn is_route(path: &str, headers: &HeaderMap) -> bool {
    let last = path.rsplit('/').next().unwrap_or("");
    path == "/" || (!last.contains('.') && accepts(headers, ACCEPT, "text/html"))
}

fn answer(file: &File, headers: &HeaderMap) -> Response {
    let accepts = |coding: &str| accepts(headers, ACCEPT_ENCODING, coding);
    let (body, coding) = match (&file.brotli, &file.gzip) {
        (Some(brotli), _) if accepts("br") => (brotli, Some("br")),
        (_, Some(gzip)) if accepts("gzip") => (gzip, Some("gzip")),
        _ => (&file.plain, None),
    };
    let known = has_tag(headers, &file.tag);
    let kept = ([(ETAG, &file.tag)], [(CACHE_CONTROL, file.cache_control.clone())]);
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

/// Returns half of the SHA-256 in hexadecimal: enough to distinguish two builds.
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
