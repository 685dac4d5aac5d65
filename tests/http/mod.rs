//! The edge's promises: what every request is answered, good or bad.

mod acme;
mod bad_body;
mod bad_frame;
mod bad_request;
mod floods;
mod headers;
mod identity;
mod limits;
mod long_poll;
mod origin;
mod pages;
mod proxies;
mod publish;
mod pull;
mod routing;
mod slow;
mod start;
mod stream;
mod tls;
