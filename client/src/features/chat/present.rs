//! `Present`: who is in the room: how many, the first names, and on demand the list.
//!
//! The list is a popover, so opening and closing it, and telling assistive technology about it, is the browser's.

use leptos::prelude::*;
use shared::{Identity, Member, UserId};

use super::timeline::Timeline;
use crate::identity::use_me;
use crate::realtime::{Members, TopicReader};
use crate::ui::{Avatar, Icon, IconOf, live};

/// A button with the count and the names, and the list behind it. Nothing while nobody knows.
#[component]
pub(super) fn Present(reader: TopicReader<Timeline>) -> impl IntoView {
    let (me, members) = (use_me(), reader.members);
    let my_id = move || me.identity().map(|me| me.id);
    let is_unknown = move || live(move || members.read().total == 0);
    let names = live(move || my_id().map_or_else(String::new, |me| in_words(&members.read(), &me)));
    let list = live(move || {
        let (members, me) = (members.get(), my_id());
        let rest = members.total.saturating_sub(members.listed.len() as u64);
        let rest = if rest > 0 { format!("and {rest} more") } else { String::new() };
        let rows = members.listed.into_iter().map(|member| row(member, me.as_ref())).collect_view();
        view! { {rows} <li class="hint">{rest}</li> }.into_any()
    });
    view! {
        <button
            id="members" class="members" type="button" popovertarget="member-list" hidden=is_unknown()
        >
            <Icon of=IconOf::People/>
            <span id="member-count">{live(move || members.read().total.to_string())}</span>
            <span class="visually-hidden">" here: "</span>
            <span class="member-names">{names}</span>
        </button>
        <div
            id="member-list" class="menu" popover="auto" role="group" aria-label="Who is here"
            hidden=is_unknown()
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
            <Avatar of=Identity { id: member.id, name: member.name }/>
            <span class="member-name">{name}</span>
            <span class="hint">{note}</span>
        </li>
    }
}

/// "You, Ada, Bo and 3 more": oneself first, then who has been there longest.
fn in_words(members: &Members, me: &UserId) -> String {
    let mut others = members.listed.iter().filter(|member| member.id != *me).map(first_name);
    match (others.next(), others.next(), members.total) {
        (Some(one), Some(other), 3) => format!("You, {one} and {other}"),
        (Some(one), Some(other), total) => {
            format!("You, {one}, {other} and {} more", total.saturating_sub(3))
        }
        (Some(one), None, _) => format!("You and {one}"),
        (None, ..) => "Only you".into(),
    }
}

fn first_name(member: &Member) -> &str {
    member.name.as_str().split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use shared::DisplayName;

    use super::*;

    fn words(total: u64, names: &[&str]) -> String {
        let member = |name: &&str| {
            let (id, name) = (UserId((*name).into()), DisplayName::parse(name).unwrap());
            Member { id, name, sessions: 1 }
        };
        in_words(&Members { total, listed: names.iter().map(member).collect() }, &UserId("Me".into()))
    }

    #[test]
    fn oneself_and_two_others_are_named_and_the_rest_is_counted() {
        assert_eq!(words(1, &["Me"]), "Only you");
        assert_eq!(words(2, &["Ada King", "Me"]), "You and Ada");
        assert_eq!(words(3, &["Ada", "Bo", "Me"]), "You, Ada and Bo");
        assert_eq!(words(60, &["Ada", "Bo", "Cy"]), "You, Ada, Bo and 57 more");
    }
}
