//! Step `dependencies`: the client must not depend on mio, and must contain gloo-net only once.

use crate::cargo;
use crate::failure::Result;
use crate::tools::WASM;
use std::collections::BTreeSet;

/// Checks all packages that are compiled into the client.
pub(super) fn check() -> Result {
    let packages = cargo::capture(&format!(
        "tree --package client --target {WASM} --edges normal,no-proc-macro --prefix none --format {{p}}"
    ))?;
    check_packages(&packages)?;
    Ok(())
}

fn check_packages(packages: &str) -> Result<(), String> {
    let versions = |name: &str| -> BTreeSet<&str> {
        let versions = packages.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        versions.filter_map(|rest| rest.split_whitespace().next()).collect()
    };
    if !versions("mio").is_empty() {
        return Err(
            "the client depends on mio, an event loop of operating systems: see `cargo tree --invert mio`"
                .into(),
        );
    }
    let gloo = versions("gloo-net");
    if gloo.len() > 1 {
        return Err(format!("the client contains several versions of gloo-net: {gloo:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gloo_net_and_no_mio() {
        assert!(
            check_packages("client v0.1.0 (/x)\ngloo-net v0.6.0\ngloo-net v0.6.0 (*)\nmiow v1.0.0\n").is_ok()
        );
        assert!(check_packages("gloo-net v0.6.0\ngloo-net v0.7.0\n").unwrap_err().contains("v0.7.0"));
        assert!(check_packages("mio v1.1.0\n").unwrap_err().contains("mio"));
    }
}
