//! `Avatar`: a user's initials on a colour derived from the user's id.

use leptos::prelude::*;
use shared::Identity;

/// The number of colours in the style sheet.
const HUES: u32 = 8;

/// Initials on a colour. Hidden from screen readers, since the name is beside it.
#[component]
pub fn Avatar(
    /// The user.
    identity: Identity,
) -> impl IntoView {
    let class = format!("avatar hue-{}", hue(&identity.id.0));
    view! { <span class=class aria-hidden="true">{initials(identity.name.as_str())}</span> }
}

/// The number of a colour, evenly spread over ids (FNV-1a).
fn hue(id: &str) -> u32 {
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) % HUES
}

/// The first letters of the first and the last word. The style sheet capitalizes them: the tables for that are in
/// every browser, and would be a large part of this download.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next();
    let last = words.next_back();
    [first, last].into_iter().flatten().filter_map(|word| word.chars().next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_the_first_letters_of_the_first_and_last_word() {
        assert_eq!(initials("Ada"), "A");
        assert_eq!(initials("Ada King Lovelace"), "AL");
        assert_eq!(initials("  élan "), "é");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn all_hues_of_the_style_sheet_are_used_and_no_others() {
        let used: std::collections::BTreeSet<u32> = (0..200).map(|n| hue(&format!("u_{n}"))).collect();
        assert_eq!(used, (0..HUES).collect());
    }
}
