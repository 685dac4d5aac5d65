//! The paths of the chat.

/// The prefix of the path of a room.
pub(super) const ROOMS_PATH: &str = "/rooms/";

/// The path of the room that a new user is sent to.
pub(super) const HOME: &str = "/rooms/general";

/// The path of a room.
pub(super) fn path_of(room: &str) -> String {
    format!("{ROOMS_PATH}{room}")
}

#[cfg(test)]
mod tests {
    use shared::features::chat::FIRST_ROOM;

    use super::*;

    #[test]
    fn a_new_user_is_sent_to_the_room_that_always_exists() {
        assert_eq!(HOME, path_of(FIRST_ROOM));
    }
}
