//! The wire of the features: one file each, with its payload types and its URLs.

pub mod chat; // demo
