//! `Diagnosis`: the report that `doctor` prints.

use std::fmt;
use std::path::Path;

use crate::doctor::examination::{Examination, TimeBudget};
use crate::doctor::finding::{self, Finding, Proxy};
use crate::doctor::node_client::NodeClient;
use crate::doctor::remedy;
use crate::net::authority::Origin;

/// The outcome of an examination. Displays as one line for each check, and below each finding the lines to change.
pub struct Diagnosis {
    /// The checks that passed, one sentence each.
    passed: Vec<String>,
    findings: Vec<Finding>,
    proxy: Proxy,
}

impl Diagnosis {
    /// True if at least one finding is a problem and not only advice.
    pub fn has_problems(&self) -> bool {
        self.findings.iter().any(Finding::is_problem)
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for passed in &self.passed {
            writeln!(f, "ok       {passed}")?;
        }
        for finding in &self.findings {
            let kind = if finding.is_problem() { "problem" } else { "advice " };
            writeln!(f, "{kind}  {finding}")?;
            for line in remedy::lines(finding, self.proxy) {
                writeln!(f, "         {line}")?;
            }
        }
        match self.findings.iter().filter(|finding| finding.is_problem()).count() {
            0 if self.findings.is_empty() => write!(f, "no problems found"),
            0 => write!(f, "everything works; the advice above is optional"),
            1 => write!(f, "found 1 problem"),
            several => write!(f, "found {several} problems"),
        }
    }
}

/// Examines the node at `url`. `root` is the file of a root certificate to trust in place of the system's. Fails if no
/// node answers there.
pub async fn examine(url: &Origin, root: Option<&Path>, budget: TimeBudget) -> Result<Diagnosis, String> {
    let client = NodeClient::new(url, root)?;
    let examination = Examination::begin(&client).await?;
    // The other checks would use the connection that has to be idle.
    let keep_alive = examination.check_keep_alive(budget).await;
    let [headers, addresses, sockets, streams, polls] = examination.run_checks().await;
    examination.sign_out().await;
    let mut diagnosis =
        Diagnosis { passed: vec![examination.summary()], findings: Vec::new(), proxy: examination.proxy() };
    for check in [headers, addresses, sockets, streams, polls, keep_alive] {
        match check {
            Ok(passed) => diagnosis.passed.extend(passed),
            Err(findings) => diagnosis.findings.extend(findings),
        }
    }
    diagnosis.findings = finding::causes(diagnosis.findings);
    Ok(diagnosis)
}
