//! `cargo xtask test`: every check there is, the quick ones first. Its last line is the count.

use super::{flags, fuzz};
use crate::client::{self, budget};
use crate::failure::{Failure, Result};
use crate::process::{self, cargo};
use crate::suite::tally::Tally;
use crate::suite::{dependencies, fork, self_contained};
use crate::tools::WASM;
use crate::{say, server, tools};
use std::time::Instant;

struct Step {
    name: &'static str,
    why: &'static str,
    run: fn(&mut Tally) -> Result,
}

/// In the order of what fails fastest.
const STEPS: [Step; 11] = [
    Step { name: "format", why: "one style, no discussion", run: |_| format() },
    Step { name: "lint", why: "no warning stays", run: |_| lint() },
    Step {
        name: "lint for the browser",
        why: "as the client is compiled there",
        run: |_| lint_for_the_browser(),
    },
    Step { name: "dependencies", why: "what may not be in the browser", run: |_| dependencies::check() },
    Step { name: "tests", why: "all that need no browser", run: tests },
    Step { name: "fuzz", why: "what nobody thought of, for a while", run: fuzz_afresh },
    Step {
        name: "client",
        why: "the release build, held against client/size-budget",
        run: |_| client_size(),
    },
    Step { name: "binary", why: "the release binary, as it is shipped", run: |_| binary() },
    Step { name: "binary alone", why: "it needs nothing beside it", run: |_| self_contained() },
    Step { name: "browser tests", why: "real Chromium against the release client", run: browser_tests },
    Step {
        name: "fork",
        why: "a copy is renamed, gets the README's feature and loses the demo",
        run: fork::check,
    },
];

/// How long each target is fuzzed; `cargo xtask fuzz` does it for longer.
const FUZZ_SECS: u32 = 20;

/// The steps of `--quick`.
const QUICK: usize = 5;

/// Stops at the first step that fails, and says how to repeat it alone.
pub(super) fn run(args: &[String]) -> Result {
    let quick = !flags(args, &["--quick"])?.is_empty();
    let steps = if quick { &STEPS[..QUICK] } else { &STEPS[..] };
    let mut tally = Tally::default();
    let result = run_steps(steps, &mut tally);
    if let Err(failure) = &result {
        say::error(failure.reason().unwrap_or("interrupted"));
        tally.note_failure();
    }
    println!("{}", tally.summary());
    // All has been said, and the count stays the last line.
    result.map_err(|failure| if let Failure::Because(_) = failure { Failure::Told } else { failure })
}

fn run_steps(steps: &[Step], tally: &mut Tally) -> Result {
    for (number, step) in steps.iter().enumerate() {
        say::step(&format!("{}/{} {}", number + 1, steps.len(), step.name), step.why);
        let begun = Instant::now();
        (step.run)(tally).map_err(|failure| match failure {
            Failure::Because(reason) => {
                Failure::Because(format!("the step \"{}\" failed: {reason}", step.name))
            }
            other => other,
        })?;
        say::note(&format!("\"{}\" took {} s", step.name, begun.elapsed().as_secs()));
    }
    Ok(())
}

fn format() -> Result {
    process::run(&mut cargo("fmt --all --check"))?;
    // Outside of the workspace, since it is built in another way.
    process::run(&mut cargo("fmt --manifest-path tests/fuzz/Cargo.toml --check"))
}

fn lint() -> Result {
    process::run(&mut cargo("clippy --workspace --all-targets -- -D warnings"))?;
    // What no ordinary build compiles.
    process::run(&mut cargo("clippy --workspace --all-targets --features server/otel -- -D warnings"))
}

fn lint_for_the_browser() -> Result {
    process::run(&mut cargo(&format!("clippy --package client --target {WASM} -- -D warnings")))
}

/// With traces, which no ordinary build has.
fn tests(tally: &mut Tally) -> Result {
    if tools::on_path(&["pebble"]).is_none() {
        tally.skip("the tests of certificates need pebble: `cargo xtask setup --with-browser`")?;
    }
    tally.run(&mut cargo("test --workspace --no-fail-fast --features server/otel"))
}

fn fuzz_afresh(tally: &mut Tally) -> Result {
    if fuzz::compiler().is_none() {
        return tally.skip("fuzzing needs a C++ compiler: `cargo xtask setup --with-browser`");
    }
    fuzz::afresh(FUZZ_SECS)
}

fn client_size() -> Result {
    let client = client::build()?;
    say::note(&budget::check(budget::measure(&client)?)?);
    Ok(())
}

fn binary() -> Result {
    server::build_release(&client::build()?, &[]).map(drop)
}

fn self_contained() -> Result {
    self_contained::check(&server::build_release(&client::build()?, &[])?)
}

/// With all packages named, so that cargo chooses the same features as for the tests before.
fn browser_tests(tally: &mut Tally) -> Result {
    let (Some(chromium), Some(chromedriver)) = (tools::chromium(), tools::chromedriver()) else {
        return tally
            .skip("the browser tests need Chromium and chromedriver: `cargo xtask setup --with-browser`");
    };
    tally.run(
        cargo("test --workspace --no-fail-fast --features server/otel --test browser")
            .env("DUPLEX_PAGES", client::build()?)
            .env("CHROMIUM", chromium)
            .env("CHROMEDRIVER", chromedriver),
    )
}
