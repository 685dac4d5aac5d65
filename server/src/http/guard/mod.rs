//! The guards: everything that refuses a request, or bounds what it may cost. They know no handler.

pub mod ambiguous;
pub mod budget;
pub mod client_ip;
pub mod cors;
pub mod headers;
pub mod list_headers;
pub mod origin;
pub mod page_turns;
pub mod rates;
pub mod shed;
