//! The edge: HTTP and WebSocket in front of the engine. It knows axum, and no feature by name.
//!
//! [`routes`] is the table of all routes and layers. The `guard` refuses, the `api` answers.

mod routes;
pub use routes::router;
mod state;
pub use state::{AppParts, AppState};
mod feature;
pub use feature::{Feature, Routes};
mod error;
pub use error::ApiError;
mod body;
pub use body::Body;
mod signed_in;
pub use signed_in::SignedIn;

pub use contract::{Answer, Described, Operation, Place};

pub mod api;
pub use api::publish::{Published, TopicName, Writer};
pub mod guard;

mod client_files;
pub use client_files::ClientFiles;
mod layers;
mod negotiation;
mod request_id;
