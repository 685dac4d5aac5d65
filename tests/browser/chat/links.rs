//! Addresses and code in messages: links lead where they claim to, and there is no other markup.

use serde_json::{Value, json};

use crate::product;
use crate::window::Window;

/// The links of the last message: for each its address, its text, its target and its `rel`.
const LINKS: &str = "[...[...document.querySelectorAll('.message-text')].at(-1).querySelectorAll('a')]\
                     .map(link => [link.href, link.textContent, link.target, [...link.relList].sort().join(' ')])";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_a_link_only_where_it_is_safe_to_follow() {
    let server = product();
    let (joan, ada) = (server.guest("Joan").await, Window::in_general(&server, "Ada").await);
    let long = format!("https://example.org/{}", "x".repeat(1_900));
    let rel = "nofollow noopener noreferrer ugc";
    let link = |href: &str, shown: &str| json!([[href, shown, "_blank", rel]]);
    let lines = [
        (
            "see https://example.org/a?b=c#d.",
            link("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ),
        ("(http://example.org/x_(y))", link("http://example.org/x_(y)", "http://example.org/x_(y)")),
        (&long, link(&long, &long)),
        ("javascript:alert(1)", json!([])),
        ("JavaScript:alert(1) data:text/html,<b>x</b> vbscript:x file:///etc/passwd", json!([])),
        ("https://google.com@evil.example/", json!([])),
        ("https://user:secret@example.org/", json!([])),
        ("`https://example.org/`", json!([])),
        ("<img src=x onerror=alert(1)><script>alert(1)</script>", json!([])),
        ("mailto:ada@example.org", link("mailto:ada@example.org", "mailto:ada@example.org")),
    ];
    for (number, (text, links)) in lines.iter().enumerate() {
        joan.posts("general", &format!("k{number}"), text).await;
        let is_last = format!("document.querySelectorAll('.message[data-seq]').length === {}", number + 1);
        ada.until(&format!("{text:?} has arrived"), &is_last).await;
        assert_eq!(ada.evaluates::<Value>(LINKS).await, *links, "{text}");
    }
    assert!(ada.evaluates::<bool>("document.querySelector('.message-text :is(img, script)') === null").await);
    ada.is_calm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_is_shown_as_code_and_other_markup_as_it_was_typed() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let joan = server.guest("Joan").await;
    joan.posts("general", "k1", "use `a < b` and **this** _stays_\n```\nlet x = `1`;\n```\n# no heading")
        .await;
    ada.until("the message has arrived", "document.querySelector('.message-text code')").await;
    let spans = "[...document.querySelectorAll('.message-text :not(pre) > code, .message-text > code')]\
                 .map(code => code.textContent)";
    assert_eq!(ada.evaluates::<Vec<String>>(spans).await, ["a < b"]);
    let block: String = ada.evaluates("document.querySelector('.message-text pre').textContent").await;
    assert_eq!(block.trim(), "let x = `1`;");
    let shown: String = ada.evaluates("document.querySelector('.message-text').textContent").await;
    assert!(shown.contains("**this** _stays_") && shown.contains("# no heading"), "{shown}");
}
