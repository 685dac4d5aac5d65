//! The features of this product. The node knows those that are listed here.

use server::http::Feature;

mod chat; // demo

/// All features.
pub fn all() -> Vec<Feature> {
    vec![
        // One line each.
        chat::feature(), // demo
    ]
}
