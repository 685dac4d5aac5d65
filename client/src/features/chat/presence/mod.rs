//! The members of a room, and which of them are typing.

mod member_list;
pub use member_list::MemberList;

mod typing_indicator;
pub use typing_indicator::{TypingIndicator, signal_stopped, signal_typing, use_typing};

mod typing;
pub use typing::Typing;
