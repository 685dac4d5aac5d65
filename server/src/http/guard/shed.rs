//! Load shedding: sends crowds away when memory is about to run out. A crowd is an address with more sessions and
//! connections than a few people have.
//!
//! A socket is told the reason (1013). Anything else, such as a request head or a body without an end, can only be cut.
//! Behind a proxy only sessions show their address.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::http::guard::rates::{FEW_CONNECTIONS, FEW_READERS, Tally};
use crate::http::state::AppState;
use crate::memory::Urgency;

/// The sessions and connections of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Crowd {
    from: IpAddr,
    /// Sockets, streams and waiting polls.
    sessions: usize,
    /// Connections without a session.
    others: usize,
}

impl Crowd {
    fn size(&self) -> usize {
        self.sessions + self.others
    }
}

/// Sends half of the largest crowd away. If it is urgent, it sends away the largest crowds that make up half of all, but
/// for a few sessions of each. If there are no crowds, the newest tenth of all sessions goes.
pub fn shed(app: &AppState, connections: &Tally, urgency: Urgency) {
    let mut crowds = crowds(&app.node.sessions_by_address(), &connections.counts());
    crowds.truncate(if urgency == Urgency::Soon { 1 } else { half(&crowds) });
    let (mut closed, mut cut) = (0, 0);
    for crowd in &crowds {
        let staying = if urgency == Urgency::Soon { crowd.sessions / 2 } else { 0 };
        closed += app.node.shed(crowd.from, staying.max(FEW_READERS as usize));
        if crowd.others > FEW_CONNECTIONS as usize {
            connections.end(crowd.from);
            cut += crowd.others;
        }
    }
    if crowds.is_empty() {
        closed = app.node.shed_newest();
    }
    if closed + cut > 0 {
        app.metrics.shed(closed, cut);
        tracing::warn!(
            sessions = closed,
            connections = cut,
            "memory is nearly used up: sessions and connections are ended"
        );
    }
}

/// Counts the largest crowds that make up half of all.
fn half(crowds: &[Crowd]) -> usize {
    let mut left: usize = crowds.iter().map(Crowd::size).sum::<usize>() / 2;
    let many = crowds.iter().take_while(|crowd| {
        let is_left = left > 0;
        left = left.saturating_sub(crowd.size());
        is_left
    });
    many.count()
}

/// Returns the crowds, the largest first.
fn crowds(sessions: &HashMap<IpAddr, usize>, connections: &HashMap<IpAddr, usize>) -> Vec<Crowd> {
    let mut addresses: Vec<IpAddr> = sessions.keys().chain(connections.keys()).copied().collect();
    addresses.sort_unstable();
    addresses.dedup();
    let of = |counts: &HashMap<IpAddr, usize>, from| counts.get(&from).copied().unwrap_or_default();
    let mut crowds: Vec<Crowd> = addresses
        .into_iter()
        .map(|from| {
            let sessions = of(sessions, from);
            Crowd { from, sessions, others: of(connections, from).saturating_sub(sessions) }
        })
        .filter(|crowd| crowd.sessions > FEW_READERS as usize || crowd.others > FEW_CONNECTIONS as usize)
        .collect();
    crowds.sort_by_key(|crowd| std::cmp::Reverse(crowd.size()));
    crowds
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const ADA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 3));

    #[test]
    fn an_address_is_judged_by_its_own_sessions_and_connections() {
        let sessions = HashMap::from([(OFFICE, 300), (ADA, 3)]);
        let connections = HashMap::from([(OFFICE, 310), (STRANGER, 450), (ADA, 5)]);
        let stranger = Crowd { from: STRANGER, sessions: 0, others: 450 };
        let office = Crowd { from: OFFICE, sessions: 300, others: 10 };
        assert_eq!(crowds(&sessions, &connections), [stranger, office]);
        assert_eq!(half(&[stranger, office]), 1, "the stranger has more than half");
        assert_eq!((half(&[office; 6]), half(&[office]), half(&[])), (3, 1, 0));
    }

    #[test]
    fn behind_a_proxy_and_over_http2_there_are_more_sessions_than_connections() {
        let crowd = Crowd { from: OFFICE, sessions: 300, others: 0 };
        assert_eq!(crowds(&HashMap::from([(OFFICE, 300)]), &HashMap::from([(OFFICE, 2)])), [crowd]);
    }
}
