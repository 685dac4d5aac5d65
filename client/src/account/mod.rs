//! The account: checking who is signed in, taking a name, renaming, signing out.

mod current;
pub use current::{Account, SignInState, use_account};

mod welcome;
pub use welcome::WelcomePanel;

mod user_menu;
pub use user_menu::UserMenu;

mod name_form;
mod name_suggestion;
