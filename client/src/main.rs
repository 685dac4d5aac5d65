//! Where the page begins. Everything else is the library beside it.

fn main() {
    client::app::mount();
}
