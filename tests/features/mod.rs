//! Tests of the features, one file each, against the product; and the contract of all features together.

mod contract;

mod chat; // demo
