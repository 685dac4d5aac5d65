//! The edge's promises: what every request is answered, good or bad.

mod bad_body;
mod bad_frame;
mod bad_request;
mod contract;
mod headers;
mod identity;
mod limits;
mod long_poll;
mod origin;
mod pages;
mod publish;
mod pull;
mod slow;
mod start;
mod stream;
mod tls;
