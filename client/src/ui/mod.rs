//! Components and texts that every screen uses: the connection badge, notices, headings, icons, times. Knows no feature.

mod reactive;
pub use reactive::{Reactive, reactive};

mod heading;
pub use heading::{APP_NAME, Heading, TabTitle, use_tab_title};

mod app_links;
pub use app_links::{AppLinks, TAGLINE};

mod focus;
pub use focus::{SkipLink, SkipLinkView, focus_on, has_fine_pointer, pass_focus_on, use_skip_link};

mod notices;
pub use notices::{NoticeRegion, Notices, use_notices};

mod announcer;
pub use announcer::{Announcer, AnnouncerRegion, use_announcer};

mod connection_badge;
pub use connection_badge::ConnectionBadge;

mod new_version;
pub use new_version::NewVersion;

mod problem_text;
pub use problem_text::problem_text;

mod bidi;
pub use bidi::isolate_bidi;

mod avatar;
pub use avatar::Avatar;

pub mod icons;
pub use icons::{Icon, Logo};

pub mod panic;
pub mod time;
