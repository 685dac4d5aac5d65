//! Suggested display names.

const FIRST: [&str; 16] = [
    "Brave", "Bright", "Calm", "Clever", "Curious", "Eager", "Gentle", "Happy", "Keen", "Lively", "Lucky",
    "Merry", "Nimble", "Quick", "Quiet", "Witty",
];
const SECOND: [&str; 16] = [
    "Badger", "Beaver", "Falcon", "Finch", "Fox", "Hare", "Heron", "Lynx", "Marten", "Otter", "Owl", "Robin",
    "Seal", "Sparrow", "Swift", "Wren",
];

/// Suggests one of 256 names, such as "Curious Otter". `random` is in `0.0..1.0`.
pub(super) fn suggest_name(random: f64) -> String {
    let number = (random * (FIRST.len() * SECOND.len()) as f64) as usize;
    let first = FIRST[number / SECOND.len() % FIRST.len()];
    let second = SECOND[number % SECOND.len()];
    format!("{first} {second}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use shared::DisplayName;

    use super::*;

    #[test]
    fn all_suggestions_are_valid_names_and_equally_likely() {
        let all: BTreeSet<String> = (0..256).map(|n| suggest_name(f64::from(n) / 256.0)).collect();
        assert_eq!(all.len(), 256);
        assert!(all.iter().all(|name| DisplayName::parse(name).is_ok()));
    }

    #[test]
    fn both_ends_of_the_range_give_a_name() {
        assert_eq!(suggest_name(0.0), "Brave Badger");
        assert_eq!(suggest_name(0.999_999_999), "Witty Wren");
    }
}
