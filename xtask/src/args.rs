//! The words of a command: the flags that it knows, and those that are for the server.

use crate::failure::{Failure, Result};

/// The flags for the server, with or without the `--` before them.
pub(crate) fn server_flags(args: &[String]) -> &[String] {
    args.strip_prefix(&["--".to_owned()]).unwrap_or(args)
}

/// The flags among `args`: each must be one of `known`.
pub(crate) fn parse_flags<'a>(args: &[String], known: &[&'a str]) -> Result<Vec<&'a str>> {
    let known_flag = |arg: &String| {
        let found = known.iter().copied().find(|flag| flag == arg);
        found.ok_or_else(|| Failure::Usage(format!("`{arg}` is not understood; {}", list_flags(known))))
    };
    args.iter().map(known_flag).collect()
}

fn list_flags(flags: &[&str]) -> String {
    match flags {
        [] => "there are no flags here".into(),
        flags => format!("known here: {}", flags.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_flag_is_misuse() {
        assert_eq!(parse_flags(&["--quick".into()], &["--quick"]).unwrap(), ["--quick"]);
        assert!(matches!(parse_flags(&["--quack".into()], &["--quick"]), Err(Failure::Usage(_))));
    }
}
