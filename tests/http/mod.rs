//! The promises of the HTTP edge: the answers to good and bad requests.

mod acme;
mod bad_body;
mod bad_frame;
mod bad_request;
mod contract;
mod doctor;
mod floods;
mod headers;
mod health;
mod identity;
mod limits;
mod log_lines;
mod long_poll;
mod memory;
mod metrics;
mod normalization;
mod origin;
mod pages;
mod process;
mod proxies;
mod publish;
mod pull;
mod redirect;
mod routing;
mod settings;
mod slow;
mod socket_over_h2;
mod start;
mod stream;
mod tls;
#[cfg(feature = "otel")]
mod traces;
