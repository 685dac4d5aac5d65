//! `doctor`: calls a node's public address as a browser would, in all four ways, and says in words what is wrong in
//! between and which line to change.
//!
//! It signs in as a guest, publishes nothing, and signs out. What a proxy does to a request it learns from the node
//! itself, by [`crate::http::api::arrival`].

mod ask;
mod checks;
mod finding;
mod streams;

use std::fmt;
use std::path::Path;

use crate::net::authority::Origin;
use ask::Target;
use checks::Patient;
use finding::{Finding, Proxy};

/// The outcome of an examination. Its `Display` has one line for each check, and the lines to change.
pub struct Report {
    /// Each thing that is as it should be, in a few words.
    good: Vec<String>,
    findings: Vec<Finding>,
    proxy: Proxy,
}

/// The time that an examination may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Half a minute.
    Short,
    /// As long as the node keeps a connection that pauses.
    Long,
}

impl Report {
    /// True if at least one finding is a problem, not only advice.
    pub fn has_problems(&self) -> bool {
        self.findings.iter().any(Finding::is_problem)
    }
}

/// One line for each check, then the lines to change.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for good in &self.good {
            writeln!(f, "ok       {good}")?;
        }
        for finding in &self.findings {
            let kind = if finding.is_problem() { "problem" } else { "advice " };
            writeln!(f, "{kind}  {finding}")?;
            for line in finding.lines(self.proxy) {
                writeln!(f, "         {line}")?;
            }
        }
        match self.findings.iter().filter(|finding| finding.is_problem()).count() {
            0 if self.findings.is_empty() => write!(f, "nothing is wrong"),
            0 => write!(f, "it works; the advice is for what may come"),
            1 => write!(f, "found a problem"),
            several => write!(f, "found {several} problems"),
        }
    }
}

/// Examines an address; `root` vouches for it where the system's roots do not. Fails when no node answers there.
pub async fn examine(url: &Origin, root: Option<&Path>, patience: Patience) -> Result<Report, String> {
    let target = Target::new(url, root)?;
    let patient = Patient::meet(&target).await?;
    let pause = patient.keeps_connections(patience).await;
    let [hosts, clients, sockets, streams, polls] = patient.in_all_ways().await;
    patient.goes().await;
    let mut report = Report { good: patient.first_words(), findings: Vec::new(), proxy: patient.proxy };
    for checked in [hosts, clients, sockets, streams, polls, pause] {
        match checked {
            Ok(good) => report.good.extend(good),
            Err(findings) => report.findings.extend(findings),
        }
    }
    report.findings = finding::causes(report.findings);
    Ok(report)
}
