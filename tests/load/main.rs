//! The load generator: puts many real sockets on a real node, and measures the cost. `cargo xtask bench` runs it.
//!
//! The results depend on the machine, so this is not a test. But each scenario states conditions, and exits with 1 if
//! one does not hold. Readers keep exactly the rules of the real client, since they are the browsers of the tests.

#![allow(clippy::unwrap_used, reason = "where a measurement cannot go on, it has failed")]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use all of it")]
mod support;

mod background;
mod crowd;
mod door;
mod fanout;
mod guest;
mod histogram;
mod hostile;
mod node;
mod publishing;
mod reconnect;
mod soak;
mod stall;
mod storm;

use std::process::ExitCode;

const USAGE: &str = "\
usage: load <scenario> [sockets]

  stall      a fifth of the sockets stops reading for 20 s: the others must not notice  (300 sockets)
  reconnect  the node is away for 2 s, and everybody comes back at once                 (5000 sockets)
  fanout     one busy topic: deliveries a second, and the processor time they cost      (1000 sockets)
  door       half heads, half handshakes and floods of connections: a guest must not notice
  hostile    one address attacks a node with 150 MB: it survives, and a guest must not notice
  storm      sockets with 20 topics each come back at once: publishes go on                (1000 sockets)
  soak       a crowd comes and goes for minutes: memory and open files must come back    (300 sockets)
";

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let sockets = words.get(1).map(|word| word.parse::<usize>());
    let held = match (words.first(), sockets.transpose()) {
        (Some(&"stall"), Ok(sockets)) => stall::run(sockets.unwrap_or(300)).await,
        (Some(&"reconnect"), Ok(sockets)) => reconnect::run(sockets.unwrap_or(5_000)).await,
        (Some(&"fanout"), Ok(sockets)) => fanout::run(sockets.unwrap_or(1_000)).await,
        (Some(&"soak"), Ok(sockets)) => soak::run(sockets.unwrap_or(300)).await,
        (Some(&"door"), Ok(None)) => door::run().await,
        (Some(&"hostile"), Ok(None)) => hostile::run().await,
        (Some(&"storm"), Ok(sockets)) => storm::run(sockets.unwrap_or(1_000)).await,
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a condition of a scenario with its result, and returns the result.
fn must_hold(condition: &str, held: bool) -> bool {
    println!("  {} {condition}", if held { "holds:" } else { "DOES NOT HOLD:" });
    held
}
