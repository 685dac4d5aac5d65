//! `MemberList`: the members of the room: a button with their number and a few names, and the list that it opens.
//!
//! The list is a popover: the browser opens and closes it, and exposes it to assistive technology.

use leptos::prelude::*;
use shared::{Identity, Member, UserId};

use crate::account::use_account;
use crate::features::chat::timeline::Timeline;
use crate::realtime::{Members, TopicReader};
use crate::ui::{Avatar, Icon, icons, reactive};

/// The button and the list, both hidden while the members are unknown.
#[component]
pub fn MemberList(reader: TopicReader<Timeline>) -> impl IntoView {
    let account = use_account();
    let members = reader.members;
    let my_id = move || account.identity().map(|me| me.id);
    let is_unknown = move || reactive(move || members.read().total == 0);
    let names = reactive(move || {
        let parts = my_id().map(|me| summary(&members.read(), &me)).unwrap_or_default();
        parts.into_iter().map(|(glue, name)| view! { {glue} <bdi>{name}</bdi> }).collect_view()
    });
    let list = reactive(move || {
        let members = members.get();
        let me = my_id();
        let unlisted = members.total.saturating_sub(members.listed.len() as u64);
        let unlisted =
            (unlisted > 0).then(|| view! { <li class="hint">{format!("and {unlisted} more")}</li> });
        let rows = members.listed.into_iter().map(|member| row(member, me.as_ref())).collect_view();
        view! { {rows} {unlisted} }.into_any()
    });
    view! {
        <button
            id="members" class="members" type="button" popovertarget="member-list" hidden=is_unknown()
        >
            <Icon path=icons::MEMBERS/>
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

/// The members in short: "You, Ada, Bo and 3 more". The user comes first, then those who have been there longest.
///
/// Each pair is a name and the text before it; the text at the end has an empty name.
fn summary(members: &Members, me: &UserId) -> Vec<(String, String)> {
    let mut others = members.listed.iter().filter(|member| member.id != *me).map(|it| it.name.as_str());
    let Some(first) = others.next() else { return vec![("Only you".into(), String::new())] };
    // Two members of the same name cannot be told apart: the second one is only counted.
    let second = others.find(|name| *name != first);
    let share_first_name = second.is_some_and(|second| first_name(first) == first_name(second));
    let shown = |name| if share_first_name { name } else { first_name(name) };

    let named = if second.is_some() { 3 } else { 2 };
    let rest = members.total.saturating_sub(named);
    let more = (format!(" and {rest} more"), "");
    let parts = match (second, rest) {
        (None, 0) => vec![("You and ".into(), shown(first))],
        (None, _) => vec![("You, ".into(), shown(first)), more],
        (Some(second), 0) => vec![("You, ".into(), shown(first)), (" and ".into(), shown(second))],
        (Some(second), _) => vec![("You, ".into(), shown(first)), (", ".into(), shown(second)), more],
    };
    parts.into_iter().map(|(glue, name)| (glue, name.to_owned())).collect()
}

fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use shared::DisplayName;

    use super::*;

    fn summary_text(total: u64, names: &[&str]) -> String {
        let member = |(number, name): (usize, &&str)| {
            let id = if *name == "Me" { "me".into() } else { format!("u{number}").into() };
            Member { id: UserId(id), name: DisplayName::parse(name).unwrap(), sessions: 1 }
        };
        let listed = names.iter().enumerate().map(member).collect();
        let parts = summary(&Members { total, listed }, &UserId("me".into()));
        parts.into_iter().flat_map(|(glue, name)| [glue, name]).collect()
    }

    #[test]
    fn the_user_and_two_others_are_named_and_the_rest_is_counted() {
        assert_eq!(summary_text(1, &["Me"]), "Only you");
        assert_eq!(summary_text(2, &["Ada King", "Me"]), "You and Ada");
        assert_eq!(summary_text(3, &["Ada", "Bo", "Me"]), "You, Ada and Bo");
        assert_eq!(summary_text(60, &["Ada", "Bo", "Cy"]), "You, Ada, Bo and 57 more");
    }

    #[test]
    fn members_with_the_same_first_name_are_shown_with_their_full_names() {
        assert_eq!(summary_text(3, &["Eve Adams", "Eve Brown", "Me"]), "You, Eve Adams and Eve Brown");
        assert_eq!(summary_text(61, &["Eve", "Eve Brown", "Bo"]), "You, Eve, Eve Brown and 58 more");
    }

    #[test]
    fn a_second_member_of_the_same_name_is_counted() {
        assert_eq!(summary_text(3, &["Eve", "Eve", "Me"]), "You, Eve and 1 more");
        assert_eq!(summary_text(61, &["Eve", "Eve", "Bo King", "Me"]), "You, Eve, Bo and 58 more");
    }
}
