//! What every screen is made of: the badge, notices, the page's heading, icons, times. Knows no feature.

mod about;
mod announcer;
mod avatar;
mod badge;
mod focus;
mod icons;
mod live;
mod new_version;
mod notices;
mod page;
pub mod panic;
pub mod time;
mod words;

pub use about::{About, PITCH};
pub use announcer::{Announcer, AnnouncerRegion, use_announcer};
pub use avatar::Avatar;
pub use badge::ConnectionBadge;
pub use focus::{SkipLink, SkipLinkView, focus_on, has_fine_pointer, pass_focus_on, use_skip_link};
pub use icons::{Icon, IconOf, Logo};
pub use live::{Live, live};
pub use new_version::NewVersion;
pub use notices::{NoticeRegion, Notices, use_notices};
pub use page::{APP_NAME, Heading, PageTitle, use_page_title};
pub use words::{in_words, isolated};
