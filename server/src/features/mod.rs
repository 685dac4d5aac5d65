//! The features of this product. What is not named here does not exist for the node.

use crate::http::Feature;

mod chat; // demo

/// All features, one line each.
pub fn all() -> Vec<Feature> {
    vec![
        chat::feature(), // demo
    ]
}
