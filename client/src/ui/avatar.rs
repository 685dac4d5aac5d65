//! `Avatar`: a person as initials on a colour that is always theirs.

use leptos::prelude::*;
use shared::Identity;

/// How many colours the style sheet has.
const HUES: u32 = 8;

/// Decoration: the name stands beside it.
#[component]
pub fn Avatar(
    /// Whose.
    identity: Identity,
) -> impl IntoView {
    let class = format!("avatar hue-{}", hue(&identity.id.0));
    view! { <span class=class aria-hidden="true">{initials(identity.name.as_str())}</span> }
}

/// Names one of the colours, evenly spread over ids (FNV-1a).
fn hue(id: &str) -> u32 {
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) % HUES
}

/// The first letters of the first and the last word. The style sheet makes them capitals: the tables for that
/// are a part of every browser, and would be a large one of this page.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let (first, last) = (words.next(), words.next_back());
    [first, last].into_iter().flatten().filter_map(|word| word.chars().next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Ada"), "A");
        assert_eq!(initials("Ada King Lovelace"), "AL");
        assert_eq!(initials("  élan "), "é");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn every_hue_is_used_and_none_beyond() {
        let used: std::collections::BTreeSet<u32> = (0..200).map(|n| hue(&format!("u_{n}"))).collect();
        assert_eq!(used, (0..HUES).collect());
    }
}
