//! Accounts, people, invites, files: the contract's cases, races between nodes, and calls that stop halfway.

use crate::keyspace::Keyspace;
use rookery_engine::contract;
use rookery_engine::store::Store;

async fn pass(name: &str, names: &[&str]) {
    let keyspace = Keyspace::new(name, 10_000).await;
    for case in contract::cases().filter(|case| names.contains(&case.name)) {
        eprintln!("contract: {}", case.name);
        let store = keyspace.open_empty().await;
        let begun = tokio::time::Instant::now();
        let store = contract::Settled(store);
        case.run(&store).await;
        eprintln!("  {:?}", begun.elapsed());
        store.close().await.expect("it closes");
    }
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins() {
    pass(
        "logins",
        &[
            "a_session_is_found_as_it_was_begun",
            "a_token_is_rotated_and_the_same_pair_again_answers_the_same",
            "a_spent_token_revokes_its_session",
            "a_token_ends_with_its_time_or_its_session",
            "of_a_hundred_rotations_one_wins",
            "a_session_is_revoked_once",
            "a_ticket_is_taken_once_and_in_time",
            "of_a_hundred_takers_one_gets_the_ticket",
            "what_has_ended_is_forgotten_and_nothing_else",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence() {
    pass(
        "presence",
        &[
            "the_latest_moment_of_a_user_stays",
            "of_many_moments_at_once_the_latest_stays",
            "one_call_notes_many_users",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts() {
    pass(
        "accounts",
        &[
            "an_account_is_found_as_it_was_created",
            "an_address_and_a_handle_are_taken_once",
            "of_a_hundred_registrations_one_wins",
            "a_password_is_replaced_only_where_it_is_the_old_one",
            "a_profile_changes_where_it_is_told_to_and_again_the_same",
            "a_handle_has_one_owner_and_stays_its_former_owner_s_for_a_while",
            "of_a_hundred_who_want_a_handle_one_gets_it",
            "users_are_found_by_the_beginning_of_their_handle",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks() {
    pass("blocks", &["a_block_is_set_and_taken_off_and_holds_both_ways", "somebody_blocks_a_bounded_number"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invites() {
    pass(
        "invites",
        &[
            "an_invite_is_found_as_it_was_made",
            "an_invite_is_used_once_a_user_until_it_is_used_up",
            "an_invite_ends_with_its_time",
            "an_invite_that_was_taken_back_lets_nobody_in",
            "of_a_hundred_who_want_the_last_use_one_gets_it",
            "a_room_has_a_bounded_number_of_good_invites",
            "what_is_of_no_use_is_forgotten_and_nothing_else",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files() {
    pass(
        "files",
        &[
            "an_upload_is_found_as_it_was_begun_and_completed",
            "a_quota_is_kept_by_a_hundred_at_once",
            "what_is_forgotten_counts_no_more",
            "an_upload_has_one_content",
            "a_file_is_read_by_its_owner_and_by_those_who_read_the_message",
            "a_message_has_the_files_of_its_newest_change",
            "an_avatar_is_seen_and_replaced",
            "garbage_is_doomed_once_for_all_and_forgotten_after_that",
        ],
    )
    .await;
}
