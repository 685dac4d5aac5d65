//! The metrics of a node, for tests of metrics, and for tests that wait for a state that only the node knows.

use std::sync::LazyLock;

use super::{TestServer, eventually};

/// The flags of a node that serves its metrics.
pub const METRICS: [&str; 2] = ["--metrics-listen", "127.0.0.1:0"];

/// One client for all tests, since creating one takes longer than a request. It keeps no idle connections, since each
/// test has its own runtime.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    client.build().expect("a client needs nothing")
});

impl TestServer {
    /// Returns the address of the metrics, which the node writes to stderr.
    pub async fn metrics_url(&self) -> String {
        eventually("stderr contains the address of the metrics", async || {
            let stderr = self.stderr();
            let (_, rest) = stderr.split_once("metrics are on ")?;
            rest.split_whitespace().next().map(String::from)
        })
        .await
    }

    /// Fetches the metrics.
    pub async fn scrape(&self) -> String {
        let answer = HTTP.get(self.metrics_url().await).send().await.expect("the node answers");
        let content_type = answer.headers()["content-type"].to_str().expect("it is ASCII");
        assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"), "{content_type}");
        let text = answer.text().await.expect("the node answers");
        assert!(text.ends_with("# EOF\n"), "{text}");
        text
    }

    /// Waits until a series has this value.
    pub async fn wait_for_metric(&self, series: &str, value: f64) {
        let has_value = async || (metric_value(&self.scrape().await, series) == Some(value)).then_some(());
        eventually(&format!("{series} is {value}"), has_value).await;
    }
}

/// Returns the value of a series, or `None` if it is missing.
pub fn metric_value(scraped: &str, series: &str) -> Option<f64> {
    let number = scraped.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(number.parse().expect("a number"))
}
