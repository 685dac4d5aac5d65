//! `cargo xtask rings`: counts the lines of code that a newcomer should read, may read, and can ignore.

use crate::args::parse_flags;
use crate::failure::Result;
use crate::{project, source_tree};

/// A part of the project, and the ring that it belongs to. The first entry whose path a file begins with counts.
const PARTS: &[(u8, &str, &str)] = &[
    (1, "shared/src/", "the wire and the rules of both sides"),
    (1, "server/realtime/src/", "the engine of a node"),
    (2, "server/src/http/guard/", "the guards"),
    (1, "server/src/http/", "the HTTP API and the socket"),
    (1, "server/src/features/", "the features, server side"),
    (1, "client/src/realtime/", "the client's realtime core"),
    (1, FEATURES, "the features, client side: the files at the top of their folders"),
    (2, "server/src/", "storage, accounts, net, wiring, operation"),
    (2, "client/src/", "the app, accounts, and the features' details"),
    (3, "server/contract/", "the contract's generator"),
    (3, "server/", "the build script"),
    (3, "xtask/", "this tool"),
];
/// The files at the top of a feature's folder show how it is built; the folders below hold its details.
const FEATURES: &str = "client/src/features/";

/// Prints the lines of code by ring and part. Takes no flags.
pub(super) fn run(args: &[String]) -> Result {
    parse_flags(args, &[])?;
    let counts = count()?;
    for (ring, title) in [(1, "Read"), (2, "Read to operate or change it"), (3, "Ignore")] {
        let lines: usize = in_ring(&counts, ring).map(|(_, lines)| lines).sum();
        println!("{lines:>6}  ring {ring}: {title}");
        for (at, lines) in in_ring(&counts, ring) {
            let (_, path, about) = PARTS[at];
            println!("{lines:>12}  {path:<26} {about}");
        }
    }
    let all: usize = counts.iter().sum();
    println!("{all:>6}  in all; blank lines, comments and unit tests are not counted");
    Ok(())
}

fn in_ring(counts: &[usize], ring: u8) -> impl Iterator<Item = (usize, usize)> {
    counts.iter().copied().enumerate().filter(move |(at, _)| PARTS[*at].0 == ring)
}

/// Counts the lines of code of each part.
fn count() -> Result<Vec<usize>> {
    let mut counts = vec![0; PARTS.len()];
    for (path, text) in source_tree::read(project::root())? {
        if path.ends_with(".rs")
            && let Some(at) = PARTS.iter().position(|(_, start, _)| belongs(&path, start))
        {
            counts[at] += lines_of_code(&text);
        }
    }
    Ok(counts)
}

fn belongs(path: &str, start: &str) -> bool {
    let Some(below) = path.strip_prefix(start) else { return false };
    start != FEATURES || below.matches('/').count() <= 1
}

/// Counts what stands before the unit tests.
fn lines_of_code(text: &str) -> usize {
    let product = text.lines().take_while(|line| !line.ends_with("mod tests {"));
    let lines = product.map(str::trim).filter(|line| !line.is_empty());
    lines.filter(|line| !line.starts_with("//") && !line.starts_with("#[cfg(test)]")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that somebody can read in an afternoon.
    const RING_1_LINES_MAX: usize = 8_000;

    #[test]
    fn the_first_ring_can_be_read_in_an_afternoon() {
        let counts = count().unwrap();
        let lines: usize = in_ring(&counts, 1).map(|(_, lines)| lines).sum();
        assert!((1..=RING_1_LINES_MAX).contains(&lines), "{lines} lines");
        assert!(counts.iter().all(|lines| *lines > 0), "a part is empty: {counts:?}");
    }

    #[test]
    fn blank_lines_comments_and_unit_tests_are_not_counted() {
        assert_eq!(
            lines_of_code(
                "//! A file.\n\nfn f() {\n    // Why.\n}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n"
            ),
            2
        );
    }
}
