//! Who may what: `schemas/authorisation/` has a row for every op and every route, and each of its cells is played here
//! through the wire, as the one of that column would ask it.

mod audited;
mod race;
mod rows;
mod scene;
mod twice;

use crate::http::call;
use rookery_api::route_infos;
use rookery_protocol::Op;
use rookery_tests::node::TestNode;
use rows::{Row, operators, ops, routes};
use scene::{Cast, Who};
use std::collections::BTreeSet;

/// Rows of one page that there are no ops or routes for, and the other way round.
fn differences<'a>(rows: &'a [Row], there: impl Iterator<Item = String> + 'a) -> Vec<String> {
    let named: BTreeSet<_> = rows.iter().map(|row| row.name.clone()).collect();
    let there: BTreeSet<_> = there.collect();
    named.symmetric_difference(&there).cloned().collect()
}

#[test]
fn every_op_and_every_route_has_a_row() {
    let there = Op::NAMES.iter().map(|name| (*name).to_owned());
    assert_eq!(differences(&ops(), there), [""; 0], "say who may: schemas/authorisation/ops.toml");
    let on = |is_public| {
        let routes = route_infos().filter(move |route| route.is_public == is_public);
        routes.map(|route| format!("{} {}", route.method, route.path))
    };
    assert_eq!(differences(&routes(), on(true)), [""; 0], "say who may: schemas/authorisation/routes.toml");
    assert_eq!(
        differences(&operators(), on(false)),
        [""; 0],
        "say who may: schemas/authorisation/operators.toml"
    );
}

#[test]
fn a_row_that_is_missing_is_found() {
    let rows = ops();
    let there = Op::NAMES.iter().skip(1).map(|name| (*name).to_owned());
    assert_eq!(differences(&rows, there.chain(["room.burn".to_owned()])), ["ping", "room.burn"]);
}

/// Plays the column of `who` and returns the cells that are otherwise.
async fn wrong(who: Who) -> Vec<String> {
    let node = TestNode::start().await;
    let mut cast = Cast::new(&node).await;
    let mut wrong = Vec::new();
    for row in ops() {
        let mut scene = cast.scene(&row, who).await;
        let told = scene.ask_op(&row).await;
        if told != row.told(who) {
            wrong.push(format!("{} as {who:?}: {told}, not {}", row.name, row.told(who)));
        }
    }
    for (rows, address) in [(routes(), node.http()), (operators(), node.admin())] {
        for row in rows {
            let scene = cast.scene(&row, who).await;
            let told = scene.ask_route(&row, address).await;
            if told != row.told(who) {
                wrong.push(format!("{} as {who:?}: {told}, not {}", row.name, row.told(who)));
            }
        }
    }
    wrong
}

/// One test for each column, so that they are played beside each other.
macro_rules! columns {
    ($($test:ident: $who:ident,)+) => {
        $(
            #[tokio::test]
            async fn $test() {
                assert_eq!(wrong(Who::$who).await, [""; 0]);
            }
        )+
    };
}

columns! {
    who_has_not_said_its_name_may_what_its_column_says: Anonymous,
    whose_login_was_ended_may_what_its_column_says: Revoked,
    a_stranger_may_what_its_column_says: Stranger,
    who_was_removed_may_what_its_column_says: Removed,
    who_is_blocked_may_what_its_column_says: Blocked,
    a_reader_may_what_its_column_says: Reader,
    a_member_may_what_its_column_says: Member,
    an_admin_may_what_its_column_says: Admin,
    an_owner_may_what_its_column_says: Owner,
    an_admin_of_the_server_may_what_its_column_says: ServerAdmin,
}

#[tokio::test]
async fn what_operators_have_is_nowhere_on_the_public_listener() {
    let node = TestNode::start().await;
    for row in operators() {
        let (method, path) = row.name.split_once(' ').unwrap();
        let answer = call(node.http(), method, path, &[], &serde_json::json!({})).await;
        assert_eq!(answer.status, 404, "{}", row.name);
    }
}
