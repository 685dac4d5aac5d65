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
use std::fmt::Write;

struct Subcommand {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result,
}

const COMMANDS: [Subcommand; 12] = [
    Subcommand {
        name: "run",
        about: "build what changed and serve the app on http://127.0.0.1:3000: `[SERVER FLAGS]`",
        run: run::run,
    },
    Subcommand {
        name: "dev",
        about: "like run, and rebuild on every save and reload open pages: `[SERVER FLAGS]`",
        run: dev::run,
    },
    Subcommand {
        name: "test",
        about: "run all checks: `[--quick|--long] [STEP…]`; `--list` lists the steps",
        run: test::run,
    },
    Subcommand {
        name: "bench",
        about: "measure a release server under load: `[SCENARIO…]`",
        run: bench::run,
    },
    Subcommand {
        name: "fuzz",
        about: "run the fuzzers until Ctrl-C: `[frames|requests] [--secs N]`",
        run: fuzz::run,
    },
    Subcommand {
        name: "build",
        about: "build one release binary with the client inside; `--otel` adds export of traces",
        run: build::run,
    },
    Subcommand {
        name: "doctor",
        about: "check the required tools and say how to fix what is missing",
        run: doctor::run,
    },
    Subcommand {
        name: "setup",
        about: "install what is missing; `--with-browser --with-proxies` for the tests, `--with-firefox --with-trunk` for the long tests",
        run: setup::run,
    },
    Subcommand {
        name: "rings",
        about: "count the lines of code to read, to know of, and to ignore",
        run: rings::run,
    },
    Subcommand {
        name: "accept",
        about: "accept intended changes: update the golden files and the client's size budget",
        run: accept::run,
    },
    Subcommand {
        name: "rename",
        about: "give the project your name: `rename NAME [--force]`",
        run: rename::run,
    },
    Subcommand {
        name: "delete-demo",
        about: "remove the demo and keep everything else: `delete-demo [--force]`",
        run: delete_demo::run,
    },
];

/// Commands that pass all arguments to the server, `--help` included.
const PASS_ARGS_TO_SERVER: [&str; 2] = ["run", "dev"];

/// Runs the command that the first argument names.
pub(crate) fn dispatch(args: &[String]) -> Result {
    let Some((name, rest)) = args.split_first() else {
        print!("{}", usage());
        return Ok(());
    };
    let is_help = |arg: &String| ["--help", "-h", "help"].contains(&arg.as_str());
    if is_help(name) {
        print!("{}", usage());
        return Ok(());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Failure::Usage(format!("unknown command `{name}`\n\n{}", usage())));
    };
    if !PASS_ARGS_TO_SERVER.contains(&command.name) && rest.iter().any(is_help) {
        println!("cargo xtask {}: {}", command.name, command.about);
        return Ok(());
    }
    (command.run)(rest)
}

fn usage() -> String {
    let mut usage = String::from("cargo xtask <command>\n\n");
    for command in &COMMANDS {
        // Writing to a String cannot fail.
        let _ = writeln!(usage, "  {:<12} {}", command.name, command.about);
    }
    usage
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
