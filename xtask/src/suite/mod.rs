//! The parts of `cargo xtask test`: its steps, and what counts and reports them.

pub(crate) mod steps;

mod dependencies;
mod fork;
mod self_contained;
mod walkthrough;

pub(crate) mod report;
pub(crate) mod tally;
