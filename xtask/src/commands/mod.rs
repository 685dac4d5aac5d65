//! The commands, in the order in which one meets them.

mod accept;
mod bench;
mod build;
mod delete_demo;
mod dev;
mod doctor;
mod fuzz;
mod rename;
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

const COMMANDS: [Subcommand; 11] = [
    Subcommand {
        name: "run",
        about: "build what changed and serve it: the app on http://127.0.0.1:3000, or as flags behind `--` say",
        run: run::run,
    },
    Subcommand {
        name: "dev",
        about: "work on it: both halves rebuilt as you save, pages reload; `-- --listen 127.0.0.1:3001` and the like",
        run: dev::run,
    },
    Subcommand {
        name: "test",
        about: "check everything: `[--quick|--long] [STEP…]`; `--list` tells the steps",
        run: test::run,
    },
    Subcommand {
        name: "bench",
        about: "put a release node under load and print what that costs; names of scenarios choose",
        run: bench::run,
    },
    Subcommand {
        name: "fuzz",
        about: "try inputs that nobody thought of, until Ctrl-C: `[frames|requests] [--secs N]`",
        run: fuzz::run,
    },
    Subcommand {
        name: "build",
        about: "one release binary with the client inside; `--otel` for one that sends traces",
        run: build::run,
    },
    Subcommand {
        name: "doctor",
        about: "check the tools, and say how to mend what is missing",
        run: doctor::run,
    },
    Subcommand {
        name: "setup",
        about: "install what is missing; `--with-browser --with-proxies` for the tests, `--with-firefox --with-trunk` for the long ones",
        run: setup::run,
    },
    Subcommand {
        name: "accept",
        about: "agree to what a change meant to change: golden files, the client's size",
        run: accept::run,
    },
    Subcommand { name: "rename", about: "make the project yours: `rename NAME [--force]`", run: rename::run },
    Subcommand {
        name: "delete-demo",
        about: "remove the demo and keep what carries it: `delete-demo [--force]`",
        run: delete_demo::run,
    },
];

/// The commands whose words are all for the server.
const TAKE_FLAGS_OF_THE_SERVER: [&str; 2] = ["run", "dev"];

/// Runs the command that the first word names, with the words behind it.
pub(crate) fn dispatch(args: &[String]) -> Result {
    let Some((name, rest)) = args.split_first() else {
        print!("{}", usage());
        return Ok(());
    };
    let asks_for_help = |word: &String| ["--help", "-h", "help"].contains(&word.as_str());
    if asks_for_help(name) {
        print!("{}", usage());
        return Ok(());
    }
    match COMMANDS.iter().find(|command| command.name == name) {
        // The server answers that by itself.
        Some(command)
            if !TAKE_FLAGS_OF_THE_SERVER.contains(&command.name) && rest.iter().any(asks_for_help) =>
        {
            println!("cargo xtask {}: {}", command.name, command.about);
            Ok(())
        }
        Some(command) => (command.run)(rest),
        None => Err(Failure::Usage(format!("there is no command `{name}`\n\n{}", usage()))),
    }
}

fn usage() -> String {
    COMMANDS.iter().fold(String::from("cargo xtask <command>\n\n"), |mut list, command| {
        // Writing to a String cannot fail.
        let _ = writeln!(list, "  {:<12} {}", command.name, command.about);
        list
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_is_misuse_and_lists_the_known_ones() {
        let failure = dispatch(&["fly".into()]).unwrap_err();
        assert!(matches!(&failure, Failure::Usage(text) if text.contains("delete-demo")));
    }

    #[test]
    fn help_is_given_and_no_misuse() {
        for words in [&["--help"][..], &["help"], &["doctor", "--help"], &["rename", "-h"]] {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert!(dispatch(&words).is_ok(), "{words:?}");
        }
    }
}
