//! The same against a provider that others use too: `oidc-provider`, a certified one.

use super::hostile::form;
use crate::folder::Folder;
use crate::http::{RawAnswer, call};
use rookery_tests::server::Server;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/oidc");

const REDIRECT: &str = "http://127.0.0.1:28100/back";

/// A provider that ends with the test.
struct Provider {
    child: Child,
    issuer: String,
}

impl Provider {
    fn start() -> Self {
        let mut command = Command::new(SCRIPT);
        command.args(["serve", REDIRECT]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("bash is there");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let issuer =
            line.trim().strip_prefix("ISSUER=").expect("tests/servers/oidc has said why there is none");
        Self { child, issuer: issuer.to_owned() }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

/// Logs a person in there; returns the query that it is sent back with.
fn prove(url: &str, subject: &str) -> Value {
    let output = Command::new(SCRIPT).args(["login", url, subject]).output().unwrap();
    let back = String::from_utf8(output.stdout).unwrap();
    let (place, query) = back.trim().split_once('?').unwrap_or_else(|| {
        panic!("no way back: {}", String::from_utf8_lossy(&output.stderr));
    });
    assert_eq!(place, REDIRECT);
    json!(form(query))
}

async fn post(server: &Server, path: &str, body: Value) -> RawAnswer {
    call(server.http, "POST", path, &[], &body).await
}

async fn finish(server: &Server, begun: &Value, back: &Value) -> RawAnswer {
    let mut body = back.clone();
    body["attempt"] = begun["attempt"].clone();
    post(server, "/v1/auth/providers/real/finish", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_provider_logs_people_in() {
    let provider = Provider::start();
    let folder = Folder::new("real-provider");
    let file = folder.at("providers.toml");
    std::fs::write(folder.at("secret"), "s".repeat(32)).unwrap();
    let secret = folder.at("secret").display().to_string();
    let text = format!(
        "[real]\nname = \"A real one\"\nissuer = \"{}\"\nclient_id = \"rookery\"\nclient_secret_file = \"{secret}\"\nredirect_uri = \"{REDIRECT}\"\nscopes = [\"email\"]\n",
        provider.issuer
    );
    std::fs::write(&file, text).unwrap();
    let server = Server::start(&folder.0, &[("ROOKERY_AUTH__PROVIDERS", file.to_str().unwrap())]);
    let begin = async || post(&server, "/v1/auth/providers/real/begin", Value::Null).await.json();

    let begun = begin().await;
    let back = prove(begun["url"].as_str().unwrap(), "alice");
    assert_eq!(back["iss"], provider.issuer, "it says who it is (RFC 9207)");
    let waiting = finish(&server, &begun, &back).await;
    assert_eq!(waiting.status, 202, "{}", waiting.text());
    let body = json!({"registration": waiting.json()["registration"], "handle": "alice", "name": "Alice"});
    let first = post(&server, "/v1/auth/providers/register", body).await.json();
    // Once is enough from then on.
    let begun = begin().await;
    let back = prove(begun["url"].as_str().unwrap(), "alice");
    let second = finish(&server, &begun, &back).await;
    assert_eq!((second.status, &second.json()["user"]), (200, &first["user"]));
    // The same code in another login: the provider says no.
    let begun = begin().await;
    let mut replayed = prove(begun["url"].as_str().unwrap(), "alice");
    replayed["code"] = back["code"].clone();
    assert_eq!(finish(&server, &begun, &replayed).await.problem().0, 401);
    // A code of another login: it does not fit the verifier.
    let (one, two) = (begin().await, begin().await);
    let stolen = prove(one["url"].as_str().unwrap(), "alice");
    let mut own = prove(two["url"].as_str().unwrap(), "mallory");
    own["code"] = stolen["code"].clone();
    assert_eq!(finish(&server, &two, &own).await.problem().0, 401);
    assert_eq!(server.terminate(), 0);
}
