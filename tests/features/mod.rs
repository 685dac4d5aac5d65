//! The features' own tests, one file each, against the product as it is; and the contract that they make together.

mod contract;

mod chat; // demo
