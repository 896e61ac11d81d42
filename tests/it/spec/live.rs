//! The documents as a server gives them, and the page that shows them.

use crate::http::call;
use crate::tidy::tree::Tree;
use rookery_tests::node::TestNode;
use serde_json::Value;

#[tokio::test]
async fn the_documents_are_served_to_everybody_as_they_are_checked_in() {
    if super::is_update() {
        // This binary was built with the documents of before.
        return;
    }
    let (node, tree) = (TestNode::start().await, Tree::read());
    for name in ["openapi.json", "asyncapi.json"] {
        let answer = call(node.http(), "GET", &format!("/{name}"), &[], &Value::Null).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        assert_eq!(answer.text(), tree.required(&format!("schemas/{name}")), "{name}");
    }
}

#[tokio::test]
async fn the_page_and_its_files_come_from_the_server_alone() {
    let node = TestNode::start().await;
    let page = call(node.http(), "GET", "/docs", &[], &Value::Null).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(policy.contains("base-uri 'none'") && policy.contains("form-action 'none'"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains("script-src 'self' "), "{policy}");
    for (file, media_type) in [
        ("swagger-ui.css", "text/css; charset=utf-8"),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("start.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = call(node.http(), "GET", &format!("/docs/{file}"), &[], &Value::Null).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(media_type)), "{file}");
        assert!(page.text().contains(&format!("docs/{file}")) && !answer.body.is_empty());
        let policy = answer.header("content-security-policy");
        assert_eq!(
            policy,
            Some("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
            "{file}"
        );
    }
    let gone = call(node.http(), "GET", "/docs/passwd", &[], &Value::Null).await;
    assert_eq!(gone.problem(), (404, "not_found".to_owned()));
}
