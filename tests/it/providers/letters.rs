//! Who owns an account is told when the ways into it change.

use super::Stage;
use crate::servers::Smtp;
use rookery_tests::node::PASSWORD;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn who_owns_an_account_is_told_when_an_identity_is_linked_and_when_it_is_taken_off() {
    let smtp = Smtp::start();
    let stage = Stage::with("providers-letters", smtp.settings()).await;
    let alice = stage.node.user("alice").await.token().to_owned();
    let linked = stage.link("alice-there", &alice).await.json();
    assert_eq!(stage.link("alice-there", &alice).await.status, 200, "nothing changes by it");
    let mail = smtp.until(1).await.remove(0);
    assert_eq!(
        (mail.to, mail.subject.as_str()),
        (vec!["alice@example.org".to_owned()], "Your account has another way in")
    );
    assert_eq!(stage.unlink(&alice, &linked["identities"][0]["id"]).await, 204);
    let subjects: Vec<_> = smtp.until(2).await.into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects[1], "A way into your account was taken off");
    // Whoever was made by an identity has no address, so it is not written to, and nothing is tried for a day.
    let carol = stage.register("carol", "carol").await;
    stage.link("carol-too", &carol).await;
    stage.link("alice-there", &alice).await;
    assert_eq!(smtp.until(3).await[2].to, ["alice@example.org"]);
}

#[tokio::test]
async fn who_was_made_by_an_identity_gets_an_address_then_a_password_and_comes_in_without_the_identity() {
    let smtp = Smtp::start();
    let stage = Stage::with("providers-password", smtp.settings()).await;
    let carol = stage.register("carol-there", "carol").await;
    let post = async |path: &str, token: &str, body: Value| stage.post(path, token, body).await;
    let first = json!({ "current": "", "password": PASSWORD });
    let early = post("/v1/auth/password/change", &carol, first).await;
    assert_eq!(
        early.problem(),
        (409, "conflict".to_owned()),
        "no password leads to an account without an address"
    );
    let forgot = json!({ "email": "carol@example.org" });
    assert_eq!(post("/v1/auth/password/forgot", "", forgot.clone()).await.status, 202);
    let address = json!({ "email": "carol@example.org", "current": "" });
    assert_eq!(post("/v1/auth/email/change", &carol, address).await.status, 202);
    let code = smtp.until(1).await.remove(0).code();
    let reset = json!({ "token": code, "password": PASSWORD });
    assert_eq!(post("/v1/auth/password/reset", "", reset).await.status, 422, "it confirms, and no more");
    assert_eq!(post("/v1/auth/verify", "", json!({ "token": code })).await.status, 204);

    let identity = stage.get("/v1/me/identities", &carol).await["identities"][0]["id"].clone();
    assert_eq!(stage.unlink(&carol, &identity).await, 409, "it is the only way in");
    post("/v1/auth/password/forgot", "", forgot).await;
    let code = smtp.until(2).await.remove(1).code();
    let reset = json!({ "token": code, "password": PASSWORD });
    assert_eq!(post("/v1/auth/password/reset", "", reset).await.status, 204);
    assert_eq!(smtp.until(3).await[2].subject, "You have a new password");
    let login = json!({ "email": "carol@example.org", "password": PASSWORD });
    let login = post("/v1/auth/login", "", login).await;
    assert_eq!((login.status, &login.json()["user"]["handle"]), (200, &json!("carol")));
    assert_eq!(stage.log_in("carol-there").await.json()["user"], login.json()["user"], "both lead there");
    let carol = login.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(stage.unlink(&carol, &identity).await, 204);
    assert_eq!(smtp.until(4).await[3].subject, "A way into your account was taken off");
}

#[tokio::test]
async fn where_there_is_no_password_a_login_stands_for_it_only_while_it_is_fresh() {
    let smtp = Smtp::start();
    let settings = [smtp.settings(), vec![("ROOKERY_AUTH__ACCESS_TOKEN_MINUTES", "30")]].concat();
    let stage = Stage::with("providers-fresh", settings).await;
    let carol = stage.register("carol-there", "carol").await;
    let protected = [
        ("/v1/auth/email/change", json!({ "email": "carol@example.org", "current": "" })),
        ("/v1/auth/password/change", json!({ "current": "", "password": PASSWORD })),
        ("/v1/me/factor", json!({ "password": "" })),
    ];
    stage.node.advance(Duration::from_secs(600));
    for (path, body) in protected.clone() {
        assert_eq!(stage.post(path, &carol, body).await.problem(), (403, "forbidden".to_owned()), "{path}");
    }
    stage.provider.set_time(stage.node.now().0 / 1000);
    let again = stage.log_in("carol-there").await.json()["access_token"].as_str().unwrap().to_owned();
    for ((path, body), status) in protected.into_iter().zip([202, 409, 201]) {
        assert_eq!(stage.post(path, &again, body).await.status, status, "{path}");
    }
    let code = smtp.until(1).await.remove(0).code();
    assert_eq!(stage.post("/v1/auth/verify", "", json!({ "token": code })).await.status, 204);
    let first = json!({ "current": "", "password": PASSWORD });
    assert_eq!(stage.post("/v1/auth/password/change", &again, first.clone()).await.status, 204);
    assert_eq!(stage.post("/v1/auth/password/change", &again, first).await.status, 422, "now there is one");
}
