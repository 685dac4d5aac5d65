//! The client as the node serves it: files, the client's own routes, and paths that are neither.

use std::path::Path;

use reqwest::Method;
use shared::ErrorCode;
use tempfile::TempDir;

use crate::support::{TestResponse, TestServer};

/// A server with made-up client files.
struct ClientSite {
    server: TestServer,
    _folder: TempDir,
}

impl ClientSite {
    fn new() -> ClientSite {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, text: &str| {
            let path: &Path = &folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        file("index.html", r#"<meta name="duplex-build" content="__DUPLEX_BUILD__"><title>made up</title>"#);
        file("app-1f.js", "let plain;");
        file("app-1f.js.br", "brotli of it");
        file("app-1f.js.gz", "gzip of it");
        file("icons/a.svg", "<svg/>");
        file("app_bg.wasm", "\0asm");
        let path = folder.path().to_str().unwrap();
        ClientSite { server: TestServer::with(&["--client-files", path]), _folder: folder }
    }

    async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> TestResponse {
        ask(&self.server, Method::GET, path, headers).await
    }
}

async fn ask(
    server: &TestServer,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
) -> TestResponse {
    let nobody = server.stranger();
    let request = nobody.request(method, path);
    nobody.ask(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn without_client_files_the_page_says_how_to_build_them_and_the_api_works() {
    let server = TestServer::start();
    let page = ask(&server, Method::GET, "/", &[HTML]).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text().contains("cargo xtask"), "{}", page.text());
    server.guest("Ada").await.publish("topic", "k", "x").await;
}

#[tokio::test]
async fn files_are_served_with_their_content_type() {
    let site = ClientSite::new();
    for (path, kind, body) in [
        ("/app-1f.js", "text/javascript; charset=utf-8", "let plain;"),
        ("/icons/a.svg", "image/svg+xml", "<svg/>"),
        ("/app_bg.wasm", "application/wasm", "\0asm"),
    ] {
        let answer = site.get(path, &[]).await;
        assert_eq!(
            (answer.status, answer.header("content-type"), answer.text()),
            (200, kind, body),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn the_smallest_accepted_encoding_is_sent() {
    let site = ClientSite::new();
    for (accepted, coding, body) in [
        ("gzip, deflate, br", "br", "brotli of it"),
        ("gzip", "gzip", "gzip of it"),
        ("br;q=0, gzip", "gzip", "gzip of it"),
        ("br;q=0.000, gzip;q=0.1", "gzip", "gzip of it"),
        ("BR;Q=1", "br", "brotli of it"),
        ("identity", "", "let plain;"),
    ] {
        let answer = site.get("/app-1f.js", &[("accept-encoding", accepted)]).await;
        assert_eq!((answer.header("content-encoding"), answer.text()), (coding, body), "{accepted}");
        assert_eq!(answer.header("vary"), "Accept-Encoding");
    }
}

#[tokio::test]
async fn a_cached_page_is_not_sent_again() {
    let site = ClientSite::new();
    for path in ["/", "/app-1f.js", "/some/page"] {
        let first = site.get(path, &[HTML]).await;
        assert_eq!(first.header("cache-control"), "no-cache", "{path}");
        let again = site.get(path, &[HTML, ("if-none-match", first.header("etag"))]).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        let other = site.get(path, &[HTML, ("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status, 200, "{path}");
    }
}

#[tokio::test]
async fn all_encodings_share_one_weak_tag_which_matches_in_any_list() {
    let site = ClientSite::new();
    let mut tags = Vec::new();
    for coding in ["br", "gzip", "identity"] {
        tags.push(site.get("/app-1f.js", &[("accept-encoding", coding)]).await.header("etag").to_owned());
    }
    let tag = tags[0].as_str();
    assert!(tag.starts_with("W/\"") && tags.iter().all(|other| other == tag), "{tags:?}");
    for known in [tag, &tag[2..], "*", &format!("\"other\", {tag}"), &format!("\"other\",{}", &tag[2..])] {
        let answer = site.get("/app-1f.js", &[("if-none-match", known), ("accept-encoding", "br")]).await;
        assert_eq!(
            (answer.status, answer.header("etag"), answer.header("vary")),
            (304, tag, "Accept-Encoding")
        );
        assert_eq!((answer.header("content-encoding"), answer.header("content-type")), ("", ""), "{known}");
    }
}

#[tokio::test]
async fn a_route_varies_with_accept_and_a_file_only_with_its_encoding() {
    let site = ClientSite::new();
    assert_eq!(site.get("/some/page", &[HTML]).await.header("vary"), "Accept, Accept-Encoding");
    assert_eq!(site.get("/icons/a.svg", &[HTML]).await.header("vary"), "Accept-Encoding");
    assert_eq!(site.get("/some/page", &[("accept", "text/html;q=0.00")]).await.status, 404);
    assert_eq!(site.get("/some/page", &[("accept", "TEXT/HTML;q=0.5")]).await.status, 200);
}

#[tokio::test]
async fn a_file_is_cached_for_ever_only_if_its_name_contains_its_hash() {
    let folder = TempDir::new().unwrap();
    // `printf 'let plain;' | sha256sum`
    for name in ["index.html", "app-e1a19f5d4f16dd5e.js", "app-0123456789abcdef.js"] {
        std::fs::write(folder.path().join(name), "let plain;").unwrap();
    }
    let server = TestServer::with(&["--client-files", folder.path().to_str().unwrap()]);
    let cache_control =
        async |path: &str| ask(&server, Method::GET, path, &[HTML]).await.header("cache-control").to_owned();
    assert_eq!(cache_control("/app-e1a19f5d4f16dd5e.js").await, "public, max-age=31536000, immutable");
    assert_eq!(cache_control("/app-0123456789abcdef.js").await, "no-cache", "the hash in the name is wrong");
    assert_eq!(cache_control("/").await, "no-cache");
}

#[tokio::test]
async fn the_clients_own_routes_get_its_page() {
    let site = ClientSite::new();
    let index = site.get("/", &[HTML]).await;
    assert!(index.text().contains("made up"));
    for path in ["/some/page", "/some/page/", "/nothing/of/the/kind", "/apiary", "/sockets", "/?page=a"] {
        let answer = site.get(path, &[HTML]).await;
        assert_eq!((answer.status, &answer.body), (200, &index.body), "{path}");
    }
}

#[tokio::test]
async fn a_path_that_is_neither_a_file_nor_a_page_is_not_found() {
    let site = ClientSite::new();
    for path in
        ["/missing.js", "/some/missing.png", "/icons/", "/app-1f.js/x.js", "/../Cargo.toml", "/%2e%2e/a.txt"]
    {
        let headers = if path.ends_with('/') { &[][..] } else { &[HTML][..] };
        assert_eq!(site.get(path, headers).await.status, 404, "{path}");
    }
    assert_eq!(
        site.get("/some/page", &[("accept", "application/json")]).await.status,
        404,
        "a browser accepts HTML"
    );
    assert_eq!(
        site.get("/some/page", &[]).await.status,
        404,
        "a request without Accept does not ask for HTML"
    );
    site.get("/api/pages", &[HTML]).await.is_refused(ErrorCode::NotFound, &["address"]);
}

#[tokio::test]
async fn pages_accept_only_get_and_head() {
    let site = ClientSite::new();
    let head = ask(&site.server, Method::HEAD, "/", &[HTML]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = ask(&site.server, method.clone(), "/some/page", &[HTML]).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method}");
    }
}

#[tokio::test]
async fn the_page_and_the_welcome_name_the_same_build() {
    let site = ClientSite::new();
    let page = site.get("/", &[HTML]).await;
    let ada = site.server.guest("Ada").await;
    let build = site.server.socket_before_welcome(&ada).await.receive_welcome().await.build;
    assert!(
        page.text().contains(&format!(r#"<meta name="duplex-build" content="{build}">"#)),
        "{}",
        page.text()
    );
}
