//! Calls that stop at any of their steps: nothing is stuck after them, and the same call again goes on.

use crate::cast::{START, account, content, file, halfway, room, second, session_id, upload, user};
use crate::keyspace::Keyspace;
use rookery_engine::contract::Settled;
use rookery_engine::limits::HANDLE_KEPT_MS;
use rookery_engine::store::{
    Account, AccountCreated, Accounts, AvatarOf, Begun, Completed, Files, Invite, InviteCreated, InviteUsed,
    Invites, LoginSession, People, ProfileChange, ProfileChanged, RefreshToken, Rotation,
};
use rookery_store_cql::CqlStore;

/// Steps that no call of these has so many of.
const STEPS: usize = 200;

type Node = Settled<CqlStore>;

async fn nodes(keyspace: &Keyspace) -> [Node; 2] {
    [Settled(keyspace.open().await), Settled(keyspace.open().await)]
}

/// Has the first node begin a call anew for each number of steps, until one is done before it stops.
macro_rules! at_each_step {
    ($steps:ident => $call:expr; $after:expr) => {
        for $steps in 1.. {
            assert!($steps < STEPS, "the call has an end");
            let is_done = halfway($steps, $call).await.is_some();
            $after.await;
            if is_done {
                assert!($steps > 1, "it stopped at some");
                break;
            }
        }
    };
}

fn number(steps: usize) -> u128 {
    1000 * steps as u128
}

fn to_handle(handle: &str) -> ProfileChange {
    ProfileChange { handle: Some(handle.to_owned()), ..ProfileChange::default() }
}

async fn owner(node: &Node, handle: &str) -> Option<u128> {
    let found = node.users_by_handle(user(1), handle, 20).await.expect("read");
    let mut owners = found.into_iter().filter(|user| user.handle == handle);
    let owner = owners.next().map(|owner| owner.id.0.as_u128() & u128::from(u64::MAX));
    assert_eq!(owners.next(), None, "{handle} has one owner");
    owner
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_that_stops_is_finished_or_leaves_its_names_free() {
    let keyspace = Keyspace::new("half_registers", 10_000).await;
    let [first, second] = nodes(&keyspace).await;
    let named = |steps: usize, rival: u128| -> Account {
        let (email, handle) = (format!("{steps}@example.org"), format!("user{steps}"));
        // A rival for both names, for the handle, or for the address.
        match (rival, steps % 3) {
            (0, _) | (_, 0) => account(number(steps) + rival, &email, &handle),
            (_, 1) => account(number(steps) + rival, &format!("other{steps}@example.org"), &handle),
            _ => account(number(steps) + rival, &email, &format!("other{steps}")),
        }
    };
    at_each_step!(steps => first.create_account(named(steps, 0)); async {
        let rival = second.create_account(named(steps, 1)).await.expect("an answer");
        let again = first.create_account(named(steps, 0)).await.expect("an answer");
        let answers = (rival == AccountCreated::Created, again == AccountCreated::Created);
        assert!(answers.0 != answers.1, "one has it after {steps} steps: {rival:?} {again:?}");
        // Each is told the same again.
        assert_eq!(second.create_account(named(steps, 1)).await, Ok(rival));
        assert_eq!(first.create_account(named(steps, 0)).await, Ok(again));
        let winner = named(steps, u128::from(answers.0));
        assert_eq!(second.account_by_email(&winner.email).await, Ok(Some(winner.clone())));
        assert_eq!(owner(&second, &winner.user.handle).await, Some(winner.user.id.0.as_u128() & u128::from(u64::MAX)));
    });
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_a_handle_that_stops_leaves_each_with_one_owner() {
    let keyspace = Keyspace::new("half_changes", 10_000).await;
    let [first, second] = nodes(&keyspace).await;
    // Everybody is there before; a call is only the change.
    for steps in 1..40 {
        for rival in 0..2 {
            let email = format!("{steps}.{rival}@example.org");
            let account = account(number(steps) + rival, &email, &format!("old{rival}.{steps}"));
            assert_eq!(second.create_account(account).await, Ok(AccountCreated::Created));
        }
    }
    let change = |steps: usize, rival: u128| (user(number(steps) + rival), to_handle(&format!("new{steps}")));
    at_each_step!(steps => first.change_profile(change(steps, 0).0, change(steps, 0).1, START); async {
        let rival = async || {
            let (user, change) = change(steps, 1);
            matches!(second.change_profile(user, change, START).await, Ok(ProfileChanged::Changed(_)))
        };
        let again = async || {
            let (user, change) = change(steps, 0);
            matches!(first.change_profile(user, change, START).await, Ok(ProfileChanged::Changed(_)))
        };
        let won = (rival().await, again().await);
        assert!(won.0 != won.1, "one has it after {steps} steps");
        assert_eq!((rival().await, again().await), won);
        let winner = u128::from(won.0);
        assert_eq!(owner(&second, &format!("new{steps}")).await, Some(number(steps) + winner));
        // The handle that was given up is kept for a while, the other one is its owner's.
        let given_up = format!("old{winner}.{steps}");
        let not_given_up = format!("old{}.{steps}", 1 - winner);
        assert_eq!(owner(&second, &given_up).await, None);
        assert_eq!(owner(&second, &not_given_up).await, Some(number(steps) + 1 - winner));
        let who = user(number(steps) + 1 - winner);
        let at_end = START.plus_millis(HANDLE_KEPT_MS);
        let taken = second.change_profile(who, to_handle(&given_up), at_end.plus_millis(-1)).await;
        assert_eq!(taken, Ok(ProfileChanged::HandleTaken));
        let free = second.change_profile(who, to_handle(&given_up), at_end).await;
        assert!(matches!(free, Ok(ProfileChanged::Changed(_))), "{free:?}");
    });
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_stops_is_gone_on_with_by_the_same_pair() {
    let keyspace = Keyspace::new("half_rotations", 10_000).await;
    let [first, other] = nodes(&keyspace).await;
    let token = |steps: usize, age: u8| {
        let mut hash = [age; 32];
        hash[..8].copy_from_slice(&steps.to_be_bytes());
        RefreshToken { hash, expires_at: second(100) }
    };
    let session = |steps: usize| LoginSession {
        session: session_id(number(steps)),
        user: user(1),
        device: None,
        device_name: None,
        created_at: START,
        expires_at: second(1000),
        revoked_at: None,
    };
    at_each_step!(steps => first.begin_session(session(steps), token(steps, 0)); async {
        for _ in 0..2 {
            other.begin_session(session(steps), token(steps, 0)).await.expect("begin");
        }
        assert_eq!(first.session(session_id(number(steps))).await, Ok(Some(session(steps))));
    });
    for steps in 1..40 {
        other.begin_session(session(steps), token(steps, 0)).await.expect("begin");
    }
    at_each_step!(steps => first.rotate(token(steps, 0).hash, token(steps, 1), second(1)); async {
        for age in [0, 1] {
            let rotated = other.rotate(token(steps, age).hash, token(steps, age + 1), second(1)).await;
            assert_eq!(rotated, Ok(Rotation::Rotated(session(steps))), "after {steps} steps");
        }
        let reused = first.rotate(token(steps, 0).hash, token(steps, 9), second(2)).await;
        assert_eq!(reused, Ok(Rotation::Reused(session_id(number(steps)))));
    });
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invite_that_stops_counts_once() {
    let keyspace = Keyspace::new("half_invites", 10_000).await;
    let [first, other] = nodes(&keyspace).await;
    let invite = |steps: usize| Invite {
        hash: [u8::try_from(steps).expect("few"); 32],
        room: room(1),
        by: user(1),
        created_at: START,
        expires_at: None,
        uses: Some(2),
    };
    at_each_step!(steps => first.create_invite(invite(steps)); async {
        assert_eq!(other.create_invite(invite(steps)).await, Ok(InviteCreated::Created));
        assert_eq!(first.invite(invite(steps).hash).await, Ok(Some(invite(steps))));
    });
    for steps in 1..40 {
        assert_eq!(other.create_invite(invite(steps)).await, Ok(InviteCreated::Created));
    }
    at_each_step!(steps => first.use_invite(invite(steps).hash, user(1), second(1)); async {
        let mut answers = vec![];
        for who in [1, 2, 3, 1] {
            answers.push(other.use_invite(invite(steps).hash, user(who), second(1)).await.expect("an answer"));
        }
        let expected = [InviteUsed::Used, InviteUsed::Used, InviteUsed::Exhausted, InviteUsed::Used];
        assert_eq!(answers, expected, "after {steps} steps");
    });
    keyspace.end().await;
}

/// Begins and completes upload `number` of user 1.
async fn uploaded(node: &Node, number: u128) {
    assert_eq!(node.begin_upload(upload(number, user(1)), u64::MAX).await, Ok(Begun::Begun));
    let completed = node.complete_upload(file(number), content(), second(1)).await;
    assert!(matches!(completed, Ok(Completed::Complete(_))));
}

/// Takes out all garbage there is at `seconds`, and returns the bytes that user 1 has left.
async fn left(node: &Node, seconds: i64) -> u64 {
    loop {
        let doomed = node.doom_files(second(seconds), 100).await.expect("doom");
        if doomed.is_empty() {
            break;
        }
        node.forget_files(&doomed).await.expect("forget");
    }
    match node.begin_upload(upload(u128::from(u64::MAX), user(1)), 0).await {
        Ok(Begun::OverQuota(bytes)) => bytes,
        answer => panic!("a quota of nothing has no room: {answer:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_stops_counts_once_and_goes_with_its_time() {
    let keyspace = Keyspace::new("half_uploads", 10_000).await;
    let [first, other] = nodes(&keyspace).await;
    at_each_step!(steps => first.begin_upload(upload(number(steps), user(1)), u64::MAX); async {
        if steps % 2 == 0 {
            for _ in 0..2 {
                let begun = other.begin_upload(upload(number(steps), user(1)), u64::MAX).await;
                assert_eq!(begun, Ok(Begun::Begun));
            }
            assert_eq!(left(&other, 1).await % 10_000, 0);
        }
    });
    assert_eq!(left(&other, 100).await, 0, "also what nobody went on with");
    for steps in 1..40 {
        other.begin_upload(upload(number(steps), user(1)), u64::MAX).await.expect("begin");
    }
    at_each_step!(steps => first.complete_upload(file(number(steps)), content(), second(1)); async {
        let completed = other.complete_upload(file(number(steps)), content(), second(1)).await;
        assert!(matches!(completed, Ok(Completed::Complete(_))), "after {steps} steps: {completed:?}");
    });
    assert_eq!(left(&other, 1).await, 39 * 10_000);
    let all: Vec<_> = (1..40).map(|steps| file(number(steps))).collect();
    assert_eq!(other.doom_files(second(100), 100).await.map(|doomed| doomed.len()), Ok(39));
    at_each_step!(steps => first.forget_files(&all[steps - 1..steps]); async {
        other.forget_files(&all[steps - 1..steps]).await.expect("forget");
        assert_eq!(left(&other, 1).await % 10_000, 0);
    });
    assert_eq!(left(&other, 100).await, 0);
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_stops_halfway_is_replaced_and_leaves_nothing() {
    let keyspace = Keyspace::new("half_pictures", 10_000).await;
    let [first, other] = nodes(&keyspace).await;
    let mine = AvatarOf::User(user(1));
    for steps in 0..80 {
        uploaded(&other, number(steps)).await;
    }
    at_each_step!(steps => first.hold_avatar(mine, Some(file(number(steps))), second(1)); async {
        // Every other one is not gone on with: the next call finds it as it is.
        if steps % 2 == 0 {
            assert_eq!(other.hold_avatar(mine, Some(file(number(steps))), second(1)).await, Ok(true));
            let seen = other.readable_files(user(9), &[file(number(steps))], second(1)).await.expect("read");
            assert_eq!(seen.len(), 1, "after {steps} steps");
        }
    });
    assert_eq!(other.hold_avatar(mine, Some(file(number(79))), second(1)).await, Ok(true));
    assert_eq!(left(&other, 100).await, 10_000, "one is left that is held");
    at_each_step!(_steps => first.hold_avatar(mine, None, second(1)); async {});
    assert_eq!(other.hold_avatar(mine, None, second(1)).await, Ok(true));
    assert_eq!(left(&other, 100).await, 0);
    keyspace.end().await;
}
