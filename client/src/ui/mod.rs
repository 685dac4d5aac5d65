//! What every screen is made of: the badge, notices, the page's heading, icons, times. Knows no feature.

mod announcer;
mod app_links;
mod avatar;
mod connection_badge;
mod focus;
mod heading;
mod icons;
mod new_version;
mod notices;
pub mod panic;
mod reactive;
mod text;
pub mod time;

pub use announcer::{Announcer, AnnouncerRegion, use_announcer};
pub use app_links::{AppLinks, TAGLINE};
pub use avatar::Avatar;
pub use connection_badge::ConnectionBadge;
pub use focus::{SkipLink, SkipLinkView, focus_on, has_fine_pointer, pass_focus_on, use_skip_link};
pub use heading::{APP_NAME, Heading, TabTitle, use_tab_title};
pub use icons::{Icon, IconName, Logo};
pub use new_version::NewVersion;
pub use notices::{NoticeRegion, Notices, use_notices};
pub use reactive::{Reactive, reactive};
pub use text::{isolate_bidi, problem_text};
