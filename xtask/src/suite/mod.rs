//! The parts of `cargo xtask test` that are more than one command.

pub(crate) mod dependencies;
pub(crate) mod fork;
pub(crate) mod self_contained;
pub(crate) mod tally;
mod walkthrough;
