//! Somebody who registers, logs in, and speaks over HTTP.

use crate::http::{RawAnswer, call};
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::net::SocketAddr;

pub(super) const PASSWORD: &str = "correct horse";

pub(super) async fn post(node: &TestNode, path: &str, body: Value) -> RawAnswer {
    call(node.http(), "POST", path, &[], &body).await
}

pub(super) async fn register(node: &TestNode, handle: &str) -> RawAnswer {
    let email = format!("{handle}@example.org");
    let body = json!({ "email": email, "password": PASSWORD, "handle": handle, "name": handle });
    post(node, "/v1/auth/register", body).await
}

pub(super) async fn login(node: &TestNode, email: &str, password: &str) -> RawAnswer {
    post(node, "/v1/auth/login", json!({ "email": email, "password": password })).await
}

/// A login.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) session: String,
    token: String,
}

impl Person {
    /// Logs a registered user in.
    pub(super) async fn of(node: &TestNode, handle: &str, password: &str) -> Self {
        let answer = login(node, &format!("{handle}@example.org"), password).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        Self { session: text("session"), token: text("access_token") }
    }

    /// Registers a user and logs it in.
    pub(super) async fn fresh(node: &TestNode, handle: &str) -> Self {
        assert_eq!(register(node, handle).await.status, 201);
        Self::of(node, handle, PASSWORD).await
    }

    pub(super) async fn call(&self, server: SocketAddr, method: &str, path: &str, body: Value) -> RawAnswer {
        let bearer = format!("Bearer {}", self.token);
        call(server, method, path, &[("authorization", &bearer)], &body).await
    }

    pub(super) async fn wire(&self, node: &TestNode) -> Wire {
        Wire::log_in(node.http(), &self.token).await
    }

    /// Returns whether the access token still works.
    pub(super) async fn is_in(&self, node: &TestNode) -> bool {
        let answer = self.call(node.http(), "GET", "/v1/me", Value::Null).await;
        assert!([200, 401].contains(&answer.status), "{}", answer.text());
        answer.status == 200
    }
}
