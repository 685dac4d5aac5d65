//! What a node tells Prometheus, for tests that judge it, and for those that wait for what only the node knows.

use std::sync::LazyLock;

use super::{TestServer, eventually};

/// A node with these flags tells it.
pub const METRICS: [&str; 2] = ["--metrics-listen", "127.0.0.1:0"];

/// One for all tests, since to make one takes longer than to ask. Each test has a runtime of its own, so no connection
/// is left over for the next one.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    client.build().expect("a client needs nothing")
});

impl TestServer {
    /// Where it is told: the node says so in its log.
    pub async fn metrics_url(&self) -> String {
        eventually("the node says where its metrics are", async || {
            let log = self.log();
            let (_, rest) = log.split_once("metrics are on ")?;
            rest.split_whitespace().next().map(String::from)
        })
        .await
    }

    /// All of it.
    pub async fn scrape(&self) -> String {
        let answer = HTTP.get(self.metrics_url().await).send().await.expect("the node answers");
        let kind = answer.headers()["content-type"].to_str().expect("it is text");
        assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
        let text = answer.text().await.expect("the node answers");
        assert!(text.ends_with("# EOF\n"), "{text}");
        text
    }

    /// Waits until a series has this value.
    pub async fn tells(&self, series: &str, value: f64) {
        let told = async || (counted(&self.scrape().await, series) == Some(value)).then_some(());
        eventually(&format!("{series} is {value}"), told).await;
    }
}

/// The number behind a series; nothing where it was never counted.
pub fn counted(scraped: &str, series: &str) -> Option<f64> {
    let number = scraped.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(number.parse().expect("a number"))
}
