//! The real binary speaking TLS by itself, and certificates that change while it runs.

use crate::folder::Folder;
use crate::operation::until;
use futures_util::{SinkExt, StreamExt};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rookery_tests::server::{Server, rookery};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;

/// Writes a new certificate with its key, and returns it.
fn renew(folder: &Folder) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.at("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.at("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

fn start(folder: &Folder) -> Server {
    let at = |name: &str| folder.at(name).to_str().unwrap().to_owned();
    let env =
        [("ROOKERY_SERVER__TLS_CERTIFICATE", at("cert.pem")), ("ROOKERY_SERVER__TLS_KEY", at("key.pem"))];
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Server::start(&folder.0, &env)
}

/// Connects to a server that must show one of these certificates.
async fn connect(
    server: &Server,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(server.http).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), tcp).await
}

/// Asks for `path` and returns the whole answer.
async fn get(mut tls: TlsStream<TcpStream>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    match tls.read_to_string(&mut answer).await {
        Ok(_) => answer,
        Err(error) => panic!("{error}: {answer}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_under_those_who_are_connected() {
    let folder = Folder::new("tls");
    let first = renew(&folder);
    let server = start(&folder);
    let answer = get(connect(&server, &first).await.unwrap(), "/version").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"rookery\""), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=63072000"), "{answer}");

    let tls = connect(&server, &first).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async("wss://localhost/v1/ws", tls).await.unwrap();
    let hello: Value =
        serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    assert_eq!(hello["ev"], "hello");

    // What cannot be used is not taken, and said.
    fs::write(folder.at("key.pem"), "no key").unwrap();
    server.hang_up();
    until("it says so", || server.log().iter().any(|line| line.contains("stays what it was"))).await;
    get(connect(&server, &first).await.unwrap(), "/livez").await;

    let second = renew(&folder);
    server.hang_up();
    until("it has the new one", || server.log().iter().any(|line| line.contains("another certificate")))
        .await;
    get(connect(&server, &second).await.unwrap(), "/livez").await;
    assert_eq!(connect(&server, &first).await.unwrap_err().kind(), ErrorKind::InvalidData);

    // Who was connected goes on.
    let ask = json!({ "id": 1, "op": "room.list", "d": {} }).to_string();
    socket.send(Message::text(ask)).await.unwrap();
    let told: Value = serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    assert_eq!(told["err"]["code"], "unauthenticated");
    socket.close(None).await.unwrap();
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
    drop(socket);
    assert_eq!(server.terminate(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_speak_tls_is_let_go_and_holds_up_nobody() {
    let folder = Folder::new("tls-none");
    let certificate = renew(&folder);
    let server = start(&folder);
    let mut silent = TcpStream::connect(server.http).await.unwrap();
    let mut plain = TcpStream::connect(server.http).await.unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    get(connect(&server, &certificate).await.unwrap(), "/livez").await;
    let mut told = Vec::new();
    for tcp in [&mut plain, &mut silent] {
        // The time for headers, and as much again for a machine that is busy.
        tokio::time::timeout(Duration::from_secs(60), tcp.read_to_end(&mut told)).await.unwrap().unwrap_or(0);
    }
    assert!(!told.starts_with(b"HTTP"), "nothing is answered outside TLS");
    assert_eq!(server.terminate(), 0);
}

#[test]
fn a_server_without_its_certificate_does_not_start() {
    let folder = Folder::new("tls-missing");
    let started = rookery()
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir"])
        .arg(&folder.0)
        .env("ROOKERY_SERVER__TLS_CERTIFICATE", "/nowhere/cert.pem")
        .env("ROOKERY_SERVER__TLS_KEY", "/nowhere/key.pem")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&started.stderr).into_owned();
    assert_eq!(started.status.code(), Some(1), "{told}");
    assert!(told.contains("/nowhere/cert.pem"), "{told}");
}
