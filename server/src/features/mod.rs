//! The features of this product. What is not named here does not exist for the node.

use server::http::Feature;

mod chat; // demo

/// All features, one line each.
pub fn all() -> Vec<Feature> {
    vec![
        chat::feature(), // demo
    ]
}
