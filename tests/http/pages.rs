//! The client as the node serves it: files, the client's own routes, and what is neither.

use std::path::Path;

use reqwest::Method;
use shared::ErrorCode;
use tempfile::TempDir;

use crate::support::{Answer, TestServer};

/// A server with a made-up client.
struct Site {
    server: TestServer,
    _folder: TempDir,
}

impl Site {
    fn new() -> Site {
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
        let pages = folder.path().to_str().unwrap();
        Site { server: TestServer::with(&["--client-files", pages]), _folder: folder }
    }

    async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        ask(&self.server, Method::GET, path, headers).await
    }
}

async fn ask(server: &TestServer, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Answer {
    let nobody = server.stranger();
    let request = nobody.request(method, path);
    nobody.ask(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn without_a_client_the_page_says_how_to_build_it_and_the_api_works() {
    let server = TestServer::start();
    let page = ask(&server, Method::GET, "/", &[HTML]).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text().contains("cargo xtask"), "{}", page.text());
    server.guest("Ada").await.publishes("topic", "k", "x").await;
}

#[tokio::test]
async fn files_are_served_with_their_type() {
    let site = Site::new();
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
async fn the_smallest_form_that_is_accepted_is_sent() {
    let site = Site::new();
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
async fn a_page_that_was_kept_is_not_sent_again() {
    let site = Site::new();
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
async fn one_weak_tag_stands_for_all_codings_and_is_found_in_any_list() {
    let site = Site::new();
    let mut tags = Vec::new();
    for coding in ["br", "gzip", "identity"] {
        tags.push(site.get("/app-1f.js", &[("accept-encoding", coding)]).await.header("etag").to_owned());
    }
    let tag = tags[0].as_str();
    assert!(tag.starts_with("W/\"") && tags.iter().all(|other| other == tag), "{tags:?}");
    for known in [tag, &tag[2..], "*", &format!("\"other\", {tag}"), &format!("\"other\",{}", &tag[2..])] {
        let kept = site.get("/app-1f.js", &[("if-none-match", known), ("accept-encoding", "br")]).await;
        assert_eq!((kept.status, kept.header("etag"), kept.header("vary")), (304, tag, "Accept-Encoding"));
        assert_eq!((kept.header("content-encoding"), kept.header("content-type")), ("", ""), "{known}");
    }
}

#[tokio::test]
async fn a_route_depends_on_what_is_accepted_and_a_file_on_its_coding_only() {
    let site = Site::new();
    assert_eq!(site.get("/some/page", &[HTML]).await.header("vary"), "Accept, Accept-Encoding");
    assert_eq!(site.get("/icons/a.svg", &[HTML]).await.header("vary"), "Accept-Encoding");
    assert_eq!(site.get("/some/page", &[("accept", "text/html;q=0.00")]).await.status, 404);
    assert_eq!(site.get("/some/page", &[("accept", "TEXT/HTML;q=0.5")]).await.status, 200);
}

#[tokio::test]
async fn a_file_is_kept_for_ever_only_when_its_name_is_made_of_its_bytes() {
    let folder = TempDir::new().unwrap();
    // `printf 'let plain;' | sha256sum`
    for name in ["index.html", "app-e1a19f5d4f16dd5e.js", "app-0123456789abcdef.js"] {
        std::fs::write(folder.path().join(name), "let plain;").unwrap();
    }
    let server = TestServer::with(&["--client-files", folder.path().to_str().unwrap()]);
    let kept =
        async |path: &str| ask(&server, Method::GET, path, &[HTML]).await.header("cache-control").to_owned();
    assert_eq!(kept("/app-e1a19f5d4f16dd5e.js").await, "public, max-age=31536000, immutable");
    assert_eq!(kept("/app-0123456789abcdef.js").await, "no-cache", "the name lies");
    assert_eq!(kept("/").await, "no-cache");
}

#[tokio::test]
async fn the_clients_own_routes_get_its_page() {
    let site = Site::new();
    let index = site.get("/", &[HTML]).await;
    assert!(index.text().contains("made up"));
    for path in ["/some/page", "/some/page/", "/nothing/of/the/kind", "/apiary", "/sockets", "/?page=a"] {
        let answer = site.get(path, &[HTML]).await;
        assert_eq!((answer.status, &answer.body), (200, &index.body), "{path}");
    }
}

#[tokio::test]
async fn what_is_no_page_is_not_found() {
    let site = Site::new();
    for path in
        ["/missing.js", "/some/missing.png", "/icons/", "/app-1f.js/x.js", "/../Cargo.toml", "/%2e%2e/a.txt"]
    {
        let headers = if path.ends_with('/') { &[][..] } else { &[HTML][..] };
        assert_eq!(site.get(path, headers).await.status, 404, "{path}");
    }
    assert_eq!(
        site.get("/some/page", &[("accept", "application/json")]).await.status,
        404,
        "no browser asks"
    );
    assert_eq!(site.get("/some/page", &[]).await.status, 404, "nor does this");
    site.get("/api/pages", &[HTML]).await.is_refused(ErrorCode::NotFound, &["address"]);
}

#[tokio::test]
async fn pages_are_read_and_not_written() {
    let site = Site::new();
    let head = ask(&site.server, Method::HEAD, "/", &[HTML]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = ask(&site.server, method.clone(), "/some/page", &[HTML]).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method}");
    }
}

#[tokio::test]
async fn the_page_and_the_welcome_name_the_same_build() {
    let site = Site::new();
    let page = site.get("/", &[HTML]).await;
    let ada = site.server.guest("Ada").await;
    let build = site.server.unheard_socket(&ada).await.hears_welcome().await.build;
    assert!(
        page.text().contains(&format!(r#"<meta name="duplex-build" content="{build}">"#)),
        "{}",
        page.text()
    );
}
