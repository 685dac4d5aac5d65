//! Commands of `cargo xtask`, listed in the order in which a newcomer meets them.

mod accept;
mod bench;
mod build;
mod delete_demo;
mod dev;
mod doctor;
mod fuzz;
mod rename;
mod rings;
mod run;
mod setup;
mod test;

use crate::failure::{Failure, Result};

/// Function of a command, which gets the arguments behind its name.
type RunCommand = fn(&[String]) -> Result;

/// Name, description and function of each command.
const COMMANDS: [(&str, &str, RunCommand); 12] = [
    ("run", "build what changed and serve the app on http://127.0.0.1:3000: `[SERVER FLAGS]`", run::run),
    ("dev", "like run, and rebuild on every save and reload open pages: `[SERVER FLAGS]`", dev::run),
    ("test", "run all checks: `[--quick|--long] [STEP…]`; `--list` lists the steps", test::run),
    ("bench", "measure a release server under load: `[SCENARIO…]`", bench::run),
    ("fuzz", "run the fuzzers until Ctrl-C: `[frames|requests] [--secs N]`", fuzz::run),
    ("build", "build one release binary with the client inside; `--otel` adds export of traces", build::run),
    ("doctor", "check the required tools and say how to fix what is missing", doctor::run),
    (
        "setup",
        "install what is missing; `--with-browser --with-proxies` for the tests, `--with-firefox --with-trunk` for the long tests",
        setup::run,
    ),
    ("rings", "count the lines of code to read, to know of, and to ignore", rings::run),
    ("accept", "accept intended changes: update the golden files and the client's size budget", accept::run),
    ("rename", "give the project your name: `rename NAME [--force]`", rename::run),
    ("delete-demo", "remove the demo and keep everything else: `delete-demo [--force]`", delete_demo::run),
];

/// Commands that pass all arguments to the server, `--help` included.
const PASS_ARGS_TO_SERVER: [&str; 2] = ["run", "dev"];

/// Runs the command that the first argument names.
pub(crate) fn dispatch(args: &[String]) -> Result {
    let is_help = |arg: &String| ["--help", "-h", "help"].contains(&arg.as_str());
    let Some((name, rest)) = args.split_first().filter(|(name, _)| !is_help(name)) else {
        print!("{}", usage());
        return Ok(());
    };
    let Some((name, about, run)) = COMMANDS.into_iter().find(|(known, ..)| known == name) else {
        return Err(Failure::Usage(format!("unknown command `{name}`\n\n{}", usage())));
    };
    if !PASS_ARGS_TO_SERVER.contains(&name) && rest.iter().any(is_help) {
        println!("cargo xtask {name}: {about}");
        return Ok(());
    }
    run(rest)
}

fn usage() -> String {
    let lines: String = COMMANDS.iter().map(|(name, about, _)| format!("  {name:<12} {about}\n")).collect();
    format!("cargo xtask <command>\n\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_is_a_usage_error_and_lists_the_known_ones() {
        let failure = dispatch(&["fly".into()]).unwrap_err();
        assert!(matches!(&failure, Failure::Usage(text) if text.contains("delete-demo")));
    }

    #[test]
    fn help_is_not_a_usage_error() {
        for words in [&["--help"][..], &["help"], &["doctor", "--help"], &["rename", "-h"]] {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert!(dispatch(&words).is_ok(), "{words:?}");
        }
    }
}
