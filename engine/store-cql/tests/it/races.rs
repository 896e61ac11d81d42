//! Two nodes that want the same thing at the same time: one gets it.

use crate::cast::{START, account, second, session_id, upload, user};
use crate::keyspace::Keyspace;
use futures_util::future::{join_all, join3};
use rookery_engine::contract::Settled;
use rookery_engine::limits::BLOCKS_PER_USER;
use rookery_engine::store::{
    AccountCreated, Accounts, Begun, BlockSet, Files, Invite, InviteCreated, InviteUsed, Invites,
    LoginSession, People, ProfileChange, ProfileChanged, RefreshToken, Rotation, StoreError, Ticket,
};
use rookery_store_cql::CqlStore;

/// Rivals on each node.
const RIVALS: u128 = 10;

struct Two {
    keyspace: Keyspace,
    nodes: [Settled<CqlStore>; 2],
}

impl Two {
    async fn nodes(name: &str) -> Self {
        let keyspace = Keyspace::new(name, 10_000).await;
        let nodes = [Settled(keyspace.open().await), Settled(keyspace.open().await)];
        Self { keyspace, nodes }
    }

    /// Has every rival on both nodes make its call, all at once.
    async fn race<T>(&self, call: impl AsyncFn(&Settled<CqlStore>, u128) -> T) -> Vec<T> {
        let rivals = (0..2 * RIVALS).map(|number| (&self.nodes[usize::from(number % 2 == 1)], number));
        join_all(rivals.map(|(node, number)| call(node, number))).await
    }

    async fn end(self) {
        self.keyspace.end().await;
    }
}

fn times<T: PartialEq>(answers: &[T], answer: &T) -> usize {
    answers.iter().filter(|found| *found == answer).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_and_one_handle_have_one_account() {
    let two = Two::nodes("race_accounts").await;
    let by_email = |number| account(number, "a@example.org", &format!("user{number}"));
    let answers = two.race(async |node, number| node.create_account(by_email(number)).await).await;
    assert_eq!(times(&answers, &Ok(AccountCreated::Created)), 1, "{answers:?}");
    assert_eq!(times(&answers, &Ok(AccountCreated::EmailTaken)), answers.len() - 1);
    let by_handle = |number| account(100 + number, &format!("{number}@example.org"), "ada");
    let answers = two.race(async |node, number| node.create_account(by_handle(number)).await).await;
    assert_eq!(times(&answers, &Ok(AccountCreated::Created)), 1, "{answers:?}");
    assert_eq!(times(&answers, &Ok(AccountCreated::HandleTaken)), answers.len() - 1);
    let both = |number| account(200 + number, "b@example.org", "bob");
    let answers = two.race(async |node, number| node.create_account(both(number)).await).await;
    assert_eq!(times(&answers, &Ok(AccountCreated::Created)), 1, "{answers:?}");
    assert_eq!(two.nodes[0].users_by_handle(user(999), "ad", 20).await.map(|found| found.len()), Ok(1));
    assert_eq!(two.nodes[1].users_by_handle(user(999), "us", 20).await.map(|found| found.len()), Ok(1));
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_handle_is_changed_to_by_one_user() {
    let two = Two::nodes("race_handles").await;
    for number in 0..2 * RIVALS {
        let account = account(number, &format!("{number}@example.org"), &format!("user{number}"));
        assert_eq!(two.nodes[0].create_account(account).await, Ok(AccountCreated::Created));
    }
    let change = ProfileChange { handle: Some("ada".to_owned()), ..ProfileChange::default() };
    // Those who register want it too.
    let newcomer = account(100, "new@example.org", "ada");
    let answers = two.race(async |node, number| {
        let change = node.change_profile(user(number), change.clone(), START);
        matches!(change.await.expect("an answer"), ProfileChanged::Changed(_))
    });
    let (changed, made, made_too) = join3(
        answers,
        two.nodes[0].create_account(newcomer.clone()),
        two.nodes[1].create_account(newcomer.clone()),
    )
    .await;
    let is_made = made == Ok(AccountCreated::Created);
    assert_eq!(made, made_too, "one account");
    assert_eq!(times(&changed, &true) + usize::from(is_made), 1, "{changed:?} {made:?}");
    let found = two.nodes[1].users_by_handle(user(999), "ada", 20).await.expect("read");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id == newcomer.user.id, is_made);
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_ticket_and_one_token_are_spent_once() {
    let two = Two::nodes("race_logins").await;
    let ticket = Ticket { hash: [7; 32], user: user(1), session: session_id(1), expires_at: second(30) };
    two.nodes[0].put_ticket(ticket).await.expect("put");
    let answers = two.race(async |node, _| node.take_ticket(ticket.hash, START).await).await;
    let winners = times(&answers, &Ok(Some(ticket)));
    let unheard = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Unknown(_)))).count();
    assert!(winners == 1 || (winners == 0 && unheard > 0), "{answers:?}");

    let session = LoginSession {
        session: session_id(1),
        user: user(1),
        device: None,
        device_name: None,
        created_at: START,
        expires_at: second(1000),
        revoked_at: None,
    };
    let token = |number: u128| RefreshToken {
        hash: [u8::try_from(number).expect("few"); 32],
        expires_at: second(100),
    };
    two.nodes[1].begin_session(session.clone(), token(255)).await.expect("begin");
    let answers = two.race(async |node, number| node.rotate([255; 32], token(number), second(1)).await).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("an answer")).collect();
    let winners = times(&answers, &Rotation::Rotated(session)) + times(&answers, &Rotation::Invalid);
    assert_eq!(winners, 1, "a winner that asked twice finds the session ended: {answers:?}");
    assert_eq!(times(&answers, &Rotation::Reused(session_id(1))), answers.len() - 1);
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_use_of_an_invite_and_the_last_place_for_one_are_taken_once() {
    let two = Two::nodes("race_invites").await;
    let room = crate::cast::room(1);
    let invite = |number: u128| {
        let hash = [u8::try_from(number).expect("few"); 32];
        Invite { hash, room, by: user(1), created_at: START, expires_at: None, uses: Some(3) }
    };
    two.nodes[0].create_invite(invite(200)).await.expect("create");
    let answers =
        two.race(async |node, number| node.use_invite([200; 32], user(number), second(1)).await).await;
    assert_eq!(times(&answers, &Ok(InviteUsed::Used)), 3, "{answers:?}");
    assert_eq!(times(&answers, &Ok(InviteUsed::Exhausted)), answers.len() - 3);
    for number in 100..195 {
        assert_eq!(two.nodes[1].create_invite(invite(number)).await, Ok(InviteCreated::Created));
    }
    let answers = two.race(async |node, number| node.create_invite(invite(number)).await).await;
    assert_eq!(times(&answers, &Ok(InviteCreated::Created)), 5, "{answers:?}");
    assert_eq!(times(&answers, &Ok(InviteCreated::TooMany)), answers.len() - 5);
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_and_a_bound_hold_over_two_nodes() {
    let two = Two::nodes("race_quotas").await;
    let begin =
        async |node: &Settled<CqlStore>, number| node.begin_upload(upload(number, user(1)), 50_000).await;
    let answers = two.race(begin).await;
    assert_eq!(times(&answers, &Ok(Begun::Begun)), 5, "{answers:?}");
    assert_eq!(times(&answers, &Ok(Begun::OverQuota(50_000))), answers.len() - 5);

    let others = (10..).map(user).take(BLOCKS_PER_USER - 3);
    for set in join_all(others.map(|other| two.nodes[0].block(user(1), other, START))).await {
        assert_eq!(set, Ok(BlockSet::Set));
    }
    let answers =
        two.race(async |node, number| node.block(user(1), user(100_000 + number), START).await).await;
    assert_eq!(times(&answers, &Ok(BlockSet::Set)), 3, "{answers:?}");
    assert_eq!(times(&answers, &Ok(BlockSet::TooMany)), answers.len() - 3);
    two.end().await;
}
