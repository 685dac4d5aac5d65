//! The features of this product. What is not named here does not exist for the node.

use server::http::Feature;

mod chat; // demo

/// All features.
pub fn all() -> Vec<Feature> {
    vec![
        // One line each.
        chat::feature(), // demo
    ]
}
