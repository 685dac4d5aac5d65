//! The features' own tests, one file each, against the product as it is.

mod chat; // demo
