//! Presence over several nodes: what it costs, what is taken over, and what goes with a node.

use super::net::Net;
use super::tests::{NOW, Peer, user};
use super::{Known, Swept};
use rookery_engine::limits::{BEATS_OF_SILENCE, CLUSTER_BEAT, PRESENCE_GRACE_SWEEPS};
use rookery_engine::{Clock, ManualClock};
use rookery_protocol::{CloseCode, PresenceState, Seen, Timestamp};
use std::sync::Arc;
use std::time::Duration;

fn net(nodes: usize) -> (Net, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    let mut net = Net::new(nodes, &clock);
    sweep(&mut net);
    (net, clock)
}

/// Sweeps every node once, and brings what they say.
fn sweep(net: &mut Net) -> Vec<Swept> {
    let swept = (0..net.len()).map(|node| net.presence(node).sweep()).collect();
    net.deliver_all();
    swept
}

fn say(members: &[Peer], state: PresenceState) {
    for member in members {
        member.attendance.set(state, None);
    }
}

/// Watches `users`, of whom the store knows nothing, once the others have answered.
fn watch(net: &mut Net, peer: &mut Peer, users: impl IntoIterator<Item = u128>) {
    peer.list = users.into_iter().map(user).collect();
    let asked = peer.attendance.watch(peer.list.iter().copied().collect());
    net.deliver_all();
    let mut told = Vec::new();
    asked.answer(&Known::default(), |presences| told = presences.users);
    peer.reply(told);
    peer.read();
}

#[tokio::test]
async fn what_is_said_between_nodes_grows_with_watchers_and_not_with_members() {
    let (mut net, _) = net(3);
    let members: Vec<_> =
        (0..3000).map(|id| Peer::attend(net.presence(1), id, user(u128::from(id)), 0)).collect();
    let mut watchers: Vec<_> =
        (0..4).map(|id| Peer::attend(net.presence(0), 9000 + id, user(9000), u128::from(id))).collect();
    sweep(&mut net);
    let quiet = net.said;
    for state in [PresenceState::Away, PresenceState::Online] {
        say(&members, state);
        sweep(&mut net);
    }
    assert_eq!(net.said, quiet, "nobody watches, nothing is said");
    for watcher in &mut watchers {
        watch(&mut net, watcher, 0..50);
    }
    assert_eq!(
        net.said - quiet,
        2 + 2,
        "the first is asked for at two nodes, which answer; the others are known"
    );
    let asked = net.said;
    for state in [PresenceState::Away, PresenceState::Online, PresenceState::Away] {
        say(&members, state);
    }
    sweep(&mut net);
    assert_eq!(net.said - asked, 1, "of 3000 that changed thrice, the fifty that are watched, in one word");
    for watcher in &mut watchers {
        sweep(&mut net);
        watcher.read();
        assert_eq!(watcher.knows(user(7)).0, Seen::Away);
        watch(&mut net, watcher, []);
    }
    sweep(&mut net);
    let unwatched = net.said;
    say(&members, PresenceState::Online);
    sweep(&mut net);
    assert_eq!(net.said, unwatched, "nobody watches any more");
}

#[tokio::test]
async fn a_login_that_was_invisible_stays_so_on_another_node() {
    let (mut net, _) = net(3);
    let mut watcher = Peer::attend(net.presence(2), 1, user(1), 0);
    watch(&mut net, &mut watcher, [2]);
    let device = Peer::attend(net.presence(0), 2, user(2), 7);
    device.attendance.set(PresenceState::Invisible, None);
    sweep(&mut net);
    device.hang_up(CloseCode::Normal);
    // It comes back before anybody has heard that it went, and says nothing.
    let _back = Peer::attend(net.presence(1), 3, user(2), 7);
    for _ in 0..2 * PRESENCE_GRACE_SWEEPS {
        sweep(&mut net);
        watcher.read();
        assert_eq!(watcher.knows(user(2)), (Seen::Offline, None, None));
    }
    // Another login takes nothing over, and is hidden all the same.
    let _other = Peer::attend(net.presence(0), 4, user(2), 8);
    sweep(&mut net);
    sweep(&mut net);
    watcher.read();
    assert_eq!(watcher.knows(user(2)).0, Seen::Offline);
}

#[tokio::test]
async fn whoever_hides_on_one_node_leaves_no_trace_on_another() {
    let (mut net, clock) = net(3);
    let mut watcher = Peer::attend(net.presence(2), 1, user(1), 0);
    watch(&mut net, &mut watcher, [2]);
    let desk = Peer::attend(net.presence(0), 2, user(2), 1);
    sweep(&mut net);
    clock.advance(Duration::from_secs(100));
    let hidden_at = clock.now();
    let phone = Peer::attend(net.presence(1), 3, user(2), 2);
    phone.attendance.set(PresenceState::Invisible, None);
    sweep(&mut net);
    let shown = |net: &mut Net, watcher: &mut Peer| {
        sweep(net);
        watcher.read();
        watcher.knows(user(2))
    };
    // The node where it was online hears of it with the next sweep, and says since when.
    sweep(&mut net);
    sweep(&mut net);
    let hidden = (Seen::Offline, Some(hidden_at), None);
    assert_eq!(shown(&mut net, &mut watcher), hidden);
    clock.advance(Duration::from_secs(100));
    desk.attendance.set(PresenceState::Away, Some("tea".to_owned()));
    assert_eq!(shown(&mut net, &mut watcher), hidden);
    desk.hang_up(CloseCode::SessionRevoked);
    phone.hang_up(CloseCode::SessionRevoked);
    for _ in 0..3 {
        assert_eq!(shown(&mut net, &mut watcher), hidden);
    }
}

#[tokio::test]
async fn people_of_a_node_that_has_gone_count_for_a_grace_and_were_seen_until_it_went() {
    let (mut net, clock) = net(2);
    let mut watcher = Peer::attend(net.presence(0), 1, user(1), 0);
    let _bob = Peer::attend(net.presence(1), 2, user(2), 0);
    watch(&mut net, &mut watcher, [2]);
    assert_eq!(watcher.knows(user(2)).0, Seen::Online);
    clock.advance(Duration::from_secs(10));
    let gone_at: Timestamp = clock.now();
    net.replace(1, &clock);
    for _ in 0..PRESENCE_GRACE_SWEEPS {
        sweep(&mut net);
        clock.advance(Duration::from_secs(1));
        watcher.read();
        assert_eq!(watcher.knows(user(2)).0, Seen::Online, "it may come back to another node");
    }
    sweep(&mut net);
    watcher.read();
    assert_eq!(watcher.knows(user(2)), (Seen::Offline, Some(gone_at), None));
}

#[tokio::test(start_paused = true)]
async fn of_a_node_that_is_not_heard_nothing_is_known_after_a_while_and_all_again_when_it_is() {
    let (mut net, _) = net(2);
    let mut watcher = Peer::attend(net.presence(0), 1, user(1), 0);
    let _bob = Peer::attend(net.presence(1), 2, user(2), 0);
    watch(&mut net, &mut watcher, [1, 2]);
    let sweep_alone = |net: &Net, watcher: &mut Peer| {
        net.presence(0).sweep();
        watcher.read();
        [1, 2].map(|number| watcher.knows(user(number)))
    };
    let online = (Seen::Online, None, None);
    tokio::time::advance(CLUSTER_BEAT * (BEATS_OF_SILENCE - 1)).await;
    assert_eq!(sweep_alone(&net, &mut watcher), [online.clone(), online.clone()]);
    tokio::time::advance(CLUSTER_BEAT * 2).await;
    let unknown = (Seen::Offline, None, None);
    assert_eq!(sweep_alone(&net, &mut watcher), [online.clone(), unknown], "nobody says when it went");
    for _ in 0..3 {
        sweep(&mut net);
    }
    assert_eq!(sweep_alone(&net, &mut watcher), [online.clone(), online]);
}
