//! Writing a message: the field, the length of its text, and the draft that survives a reload.

mod composer;
pub use composer::{COMPOSER, Composer};

mod length;

mod draft;
pub use draft::use_draft;
