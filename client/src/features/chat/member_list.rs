//! `MemberList`: the people in the room: how many, a few names, and on demand the list.
//!
//! The list is a popover, so opening and closing it, and telling assistive technology about it, is the browser's.

use leptos::prelude::*;
use shared::{Identity, Member, UserId};

use super::timeline::Timeline;
use crate::account::use_account;
use crate::realtime::{Members, TopicReader};
use crate::ui::{Avatar, Icon, IconName, reactive};

/// A button with the count and the names, and the list behind it. Nothing while nobody knows.
#[component]
pub(super) fn MemberList(reader: TopicReader<Timeline>) -> impl IntoView {
    let (me, members) = (use_account(), reader.members);
    let my_id = move || me.identity().map(|me| me.id);
    let is_unknown = move || reactive(move || members.read().total == 0);
    let names = reactive(move || {
        let words = my_id().map(|me| in_words(&members.read(), &me)).unwrap_or_default();
        words.into_iter().map(|(glue, name)| view! { {glue} <bdi>{name}</bdi> }).collect_view()
    });
    let list = reactive(move || {
        let (members, me) = (members.get(), my_id());
        let rest = members.total.saturating_sub(members.listed.len() as u64);
        let rest = (rest > 0).then(|| view! { <li class="hint">{format!("and {rest} more")}</li> });
        let rows = members.listed.into_iter().map(|member| row(member, me.as_ref())).collect_view();
        view! { {rows} {rest} }.into_any()
    });
    view! {
        <button
            id="members" class="members" type="button" popovertarget="member-list" hidden=is_unknown()
        >
            <Icon name=IconName::People/>
            <span id="member-count">{reactive(move || members.read().total.to_string())}</span>
            <span class="visually-hidden">" here: "</span>
            <span class="member-names">{names}</span>
        </button>
        <div
            id="member-list" class="menu" popover="auto" tabindex="0" role="region"
            aria-label="People in this room" hidden=is_unknown()
        >
            <ul>{list}</ul>
        </div>
    }
}

fn row(member: Member, me: Option<&UserId>) -> impl IntoView + use<> {
    let is_me = Some(&member.id) == me;
    let name = member.name.to_string();
    let note = match (is_me, member.sessions) {
        (true, 0 | 1) => "you".into(),
        (true, windows) => format!("you, {windows} windows"),
        (false, 0 | 1) => String::new(),
        (false, windows) => format!("{windows} windows"),
    };
    view! {
        <li class="member">
            <Avatar identity=Identity { id: member.id, name: member.name }/>
            <bdi class="member-name">{name}</bdi>
            <span class="hint">{note}</span>
        </li>
    }
}

/// "You, Ada, Bo and 3 more": oneself first, then who has been there longest. Each name comes with the words before
/// it, and the words at the end with no name.
fn in_words(members: &Members, me: &UserId) -> Vec<(String, String)> {
    let mut others = members.listed.iter().filter(|member| member.id != *me).map(|it| it.name.as_str());
    let first = others.next();
    // Two people of one name cannot be told apart: the second one is counted.
    let second = others.find(|name| Some(*name) != first);
    let (first, second) = match (first, second) {
        (Some(first), Some(second)) if first_name(first) == first_name(second) => (first, Some(second)),
        (Some(first), second) => (first_name(first), second.map(first_name)),
        (None, _) => return vec![("Only you".into(), String::new())],
    };
    let named = 2 + u64::from(second.is_some());
    let rest = members.total.saturating_sub(named);
    let mut words: Vec<(String, String)> = Vec::new();
    for (place, name) in std::iter::once(first).chain(second).enumerate() {
        let is_last = rest == 0 && place as u64 + 2 == named;
        let glue = match (place, is_last) {
            (0, true) => "You and ",
            (0, false) => "You, ",
            (_, true) => " and ",
            (_, false) => ", ",
        };
        words.push((glue.into(), name.into()));
    }
    if rest > 0 {
        words.push((format!(" and {rest} more"), String::new()));
    }
    words
}

fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use shared::DisplayName;

    use super::*;

    fn words(total: u64, names: &[&str]) -> String {
        let member = |(number, name): (usize, &&str)| {
            let id = if *name == "Me" { "me".into() } else { format!("u{number}").into() };
            Member { id: UserId(id), name: DisplayName::parse(name).unwrap(), sessions: 1 }
        };
        let listed = names.iter().enumerate().map(member).collect();
        let words = in_words(&Members { total, listed }, &UserId("me".into()));
        words.into_iter().flat_map(|(glue, name)| [glue, name]).collect()
    }

    #[test]
    fn oneself_and_two_others_are_named_and_the_rest_is_counted() {
        assert_eq!(words(1, &["Me"]), "Only you");
        assert_eq!(words(2, &["Ada King", "Me"]), "You and Ada");
        assert_eq!(words(3, &["Ada", "Bo", "Me"]), "You, Ada and Bo");
        assert_eq!(words(60, &["Ada", "Bo", "Cy"]), "You, Ada, Bo and 57 more");
    }

    #[test]
    fn people_with_the_same_first_name_are_told_apart_by_their_full_names() {
        assert_eq!(words(3, &["Eve Adams", "Eve Brown", "Me"]), "You, Eve Adams and Eve Brown");
        assert_eq!(words(61, &["Eve", "Eve Brown", "Bo"]), "You, Eve, Eve Brown and 58 more");
    }

    #[test]
    fn people_with_the_same_name_are_counted() {
        assert_eq!(words(3, &["Eve", "Eve", "Me"]), "You, Eve and 1 more");
        assert_eq!(words(61, &["Eve", "Eve", "Bo King", "Me"]), "You, Eve, Bo and 58 more");
    }
}
