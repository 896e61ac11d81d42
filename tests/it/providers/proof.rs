//! What changes the ways into an account asks who it is once more.

use super::Stage;
use crate::factor::set_up;
use rookery_tests::node::PASSWORD;
use serde_json::{Value, json};
use std::time::Duration;

const LINK: &str = "/v1/auth/providers/one/link";

/// The identity need not be there: who asks is looked at first.
const UNLINK: &str = "/v1/me/identities/none/unlink";

async fn ask(stage: &Stage, path: &str, token: &str, body: &Value) -> u16 {
    stage.post(path, token, body.clone()).await.status
}

#[tokio::test]
async fn a_way_in_is_linked_and_taken_off_by_who_knows_the_password() {
    let stage = Stage::new("providers-proof").await;
    let alice = stage.node.user("alice").await.token().to_owned();
    for wrong in [Value::Null, json!({}), json!({ "password": "" }), json!({ "password": "guess guess" })] {
        assert_eq!(ask(&stage, LINK, &alice, &wrong).await, 403, "{wrong}");
        assert_eq!(ask(&stage, UNLINK, &alice, &wrong).await, 403, "{wrong}");
    }
    let linked = stage.link("alice-there", &alice).await.json();
    let identity = format!("/v1/me/identities/{}/unlink", linked["identities"][0]["id"].as_str().unwrap());
    assert_eq!(ask(&stage, &identity, &alice, &Value::Null).await, 403);
    assert_eq!(stage.log_in("alice-there").await.status, 200, "it is still linked");
    let right = json!({ "password": PASSWORD });
    assert_eq!(ask(&stage, &identity, &alice, &right).await, 204);
    // Whoever has no password proves it by a login of just now.
    let carol = stage.register("carol", "carol").await;
    assert_eq!(ask(&stage, LINK, &carol, &Value::Null).await, 200);
    stage.node.advance(Duration::from_secs(599));
    assert_eq!(ask(&stage, UNLINK, &carol, &Value::Null).await, 404);
}

#[tokio::test]
async fn where_logins_ask_for_a_code_a_change_of_the_ways_in_does_too() {
    let stage = Stage::new("providers-proof-factor").await;
    let (alice, app, recovery) = set_up(&stage.node).await;
    let email = "/v1/auth/email/change";
    let with = |code: Option<&str>| {
        let mut proof =
            json!({ "password": PASSWORD, "current": PASSWORD, "email": "alice@elsewhere.example" });
        if let Some(code) = code {
            proof["code"] = json!(code);
        }
        proof
    };
    for (what, status) in [(LINK, 200), (UNLINK, 404), (email, 202)] {
        for code in [None, Some(""), Some("none")] {
            assert_eq!(ask(&stage, what, &alice, &with(code)).await, 403, "{what} {code:?}");
        }
        let code = app.next(&stage.node);
        let mut wrong = with(Some(&code));
        wrong["password"] = json!("guess guess");
        wrong["current"] = json!("guess guess");
        // As a field at fault, where the password is one among others.
        let refused = if what == email { 422 } else { 403 };
        assert_eq!(ask(&stage, what, &alice, &wrong).await, refused, "{what}");
        // It was not spent with a wrong password; and it is, once.
        assert_eq!(ask(&stage, what, &alice, &with(Some(&code))).await, status, "{what}");
        assert_eq!(ask(&stage, what, &alice, &with(Some(&code))).await, 403, "{what}");
    }
    assert_eq!(ask(&stage, LINK, &alice, &with(Some(&recovery[0]))).await, 200);
}
