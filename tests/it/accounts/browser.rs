//! Pages of browsers: which may call, which may read, and which may do nothing.

use super::people::{PASSWORD, register};
use crate::http::{RawAnswer, call, with};
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};

const APP: &str = "https://app.example.org";

async fn node() -> TestNode {
    with(&[("ROOKERY_SERVER__ALLOWED_ORIGINS", APP)]).await
}

async fn preflight(node: &TestNode, origin: &str, path: &str) -> RawAnswer {
    let asks = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    call(node.http(), "OPTIONS", path, &asks, &Value::Null).await
}

#[tokio::test]
async fn a_page_that_is_named_may_call_and_read_and_no_other() {
    let node = node().await;
    let answer = preflight(&node, APP, "/v1/auth/login").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert!(answer.header("vary").unwrap().contains("origin"));
    for foreign in
        ["https://evil.example", "null", "https://app.example.org.evil.example", "http://app.example.org"]
    {
        let answer = preflight(&node, foreign, "/v1/auth/login").await;
        assert_eq!(answer.status, 405, "{foreign}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{foreign}");
        let read = call(node.http(), "GET", "/version", &[("origin", foreign)], &Value::Null).await;
        assert_eq!((read.status, read.header("access-control-allow-origin")), (200, None), "{foreign}");
        assert!(read.header("vary").unwrap().contains("origin"), "no cache gives it to another page");
    }
    let refused = call(node.http(), "GET", "/v1/me", &[("origin", APP)], &Value::Null).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, Some(APP)));
}

#[tokio::test]
async fn without_named_pages_no_page_of_another_origin_reads_anything() {
    let node = TestNode::start().await;
    let answer = preflight(&node, APP, "/v1/auth/login").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, None));
    let own = format!("http://{}", node.http());
    let read = call(node.http(), "GET", "/version", &[("origin", &own)], &Value::Null).await;
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, None));
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_whatever_it_sends() {
    let node = node().await;
    register(&node, "alice").await;
    let body = json!({ "email": "alice@example.org", "password": PASSWORD, "cookie": true });
    for foreign in ["https://evil.example", "null"] {
        let forged = [("origin", foreign), ("sec-fetch-site", "cross-site")];
        let answer = call(node.http(), "POST", "/v1/auth/login", &forged, &body).await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{foreign}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    let ours = call(node.http(), "POST", "/v1/auth/login", &[("origin", APP)], &body).await;
    assert_eq!(ours.status, 200, "{}", ours.text());
    let cookie = ours.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let with_cookie = |origin| [("origin", origin), ("cookie", cookie.as_str())];
    for (origin, status) in [("https://evil.example", 403), (APP, 200)] {
        let headers = with_cookie(origin);
        let answer = call(node.http(), "POST", "/v1/auth/refresh", &headers, &Value::Null).await;
        assert_eq!(answer.status, status, "{origin}");
    }
}

#[tokio::test]
async fn a_login_in_a_browser_takes_the_place_of_the_one_that_it_had() {
    let node = TestNode::start().await;
    register(&node, "alice").await;
    register(&node, "bob").await;
    let own = ("sec-fetch-site", "same-origin");
    let log_in = async |handle: &str, headers: &[(&str, &str)]| {
        let email = format!("{handle}@example.org");
        let body = json!({ "email": email, "password": PASSWORD, "cookie": true });
        let answer = call(node.http(), "POST", "/v1/auth/login", headers, &body).await;
        let cookie = answer.header("set-cookie").map(|set| set.split(';').next().unwrap().to_owned());
        (answer, cookie)
    };
    let (first, had) = log_in("alice", &[own]).await;
    let had = had.unwrap();
    let access = first.json()["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {access}");
    let is_in =
        async || call(node.http(), "GET", "/v1/me", &[("authorization", &bearer)], &Value::Null).await.status;
    let mut wire = Wire::log_in(node.http(), &access).await;

    // Not by a login that is refused, and not by whoever does not say which page asks.
    let wrong = json!({ "email": "alice@example.org", "password": "guess guess", "cookie": true });
    let refused = call(node.http(), "POST", "/v1/auth/login", &[own, ("cookie", &had)], &wrong).await;
    assert_eq!((refused.status, is_in().await), (401, 200));
    assert_eq!(log_in("alice", &[("cookie", &had)]).await.0.status, 200);
    assert_eq!(is_in().await, 200);

    let (second, has) = log_in("bob", &[own, ("cookie", &had)]).await;
    assert_eq!(second.json()["user"]["handle"], "bob");
    assert_eq!((wire.closed().await, is_in().await), (4503, 401));
    let refresh = async |cookie: &str| {
        call(node.http(), "POST", "/v1/auth/refresh", &[own, ("cookie", cookie)], &Value::Null).await.status
    };
    assert_eq!([refresh(&had).await, refresh(&has.unwrap()).await], [401, 200]);
    // A cookie that is nobody's any more is no hindrance.
    assert_eq!(log_in("alice", &[own, ("cookie", &had)]).await.0.status, 200);
}
