//! Parsing of a command's arguments: its own flags, or flags that are passed on to the server.

use crate::failure::{Failure, Result};

/// Returns the flags to pass on to the server, without a leading `--`.
pub(crate) fn server_flags(args: &[String]) -> &[String] {
    args.strip_prefix(&["--".to_owned()]).unwrap_or(args)
}

/// Returns the given flags; an argument that is not in `known` is a usage error.
pub(crate) fn parse_flags<'a>(args: &[String], known: &[&'a str]) -> Result<Vec<&'a str>> {
    let parse = |arg: &String| {
        let flag = known.iter().copied().find(|flag| flag == arg);
        flag.ok_or_else(|| match known {
            [] => Failure::Usage(format!("unknown argument `{arg}`; this command takes none")),
            _ => Failure::Usage(format!("unknown argument `{arg}`; supported: {}", known.join(", "))),
        })
    };
    args.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_flag_is_a_usage_error() {
        assert_eq!(parse_flags(&["--quick".into()], &["--quick"]).unwrap(), ["--quick"]);
        assert!(matches!(parse_flags(&["--quack".into()], &["--quick"]), Err(Failure::Usage(_))));
    }
}
