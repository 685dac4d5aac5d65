//! Messages as they are shown: their rows, the markup of their text, and their announcement to screen readers.

mod rows;
pub use rows::{Row, rows_of, rows_of_pending};

mod row_view;
pub use row_view::{NEW_ROW, RowView, UnsentActions};

mod markup;

mod addresses;

mod announcements;
pub use announcements::{AnnouncementCursor, announcement};
