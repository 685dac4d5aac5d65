//! What every answer tells a browser not to do.

use shared::endpoint;

use crate::support::{Answer, TestServer};

const ALWAYS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

async fn answers(server: &TestServer) -> Vec<Answer> {
    let nobody = server.stranger();
    let mut answers = Vec::new();
    for path in ["/", endpoint::ME, "/api/no/such", "/no/such.file", endpoint::SOCKET] {
        answers.push(nobody.get(path).await);
    }
    answers
}

#[tokio::test]
async fn they_are_on_every_answer_good_or_bad() {
    for answer in answers(&TestServer::start()).await {
        for (name, value) in ALWAYS {
            assert_eq!(answer.header(name), value, "{} of {}", name, answer.status);
        }
        assert_eq!(answer.header("strict-transport-security"), "", "there is no TLS to insist on");
    }
}

#[tokio::test]
async fn a_page_runs_its_own_scripts_only_and_other_answers_none() {
    for answer in answers(&TestServer::start()).await {
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        let is_page = answer.header("content-type").starts_with("text/html");
        assert_eq!(policy.contains("script-src"), is_page, "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    }
}
