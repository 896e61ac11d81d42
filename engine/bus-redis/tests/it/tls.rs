//! A Redis that is reached over TLS, and who it has to be.

use crate::nodes::{Cluster, WITHIN, frame};
use crate::server::RedisServer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rookery_bus_redis::{RedisOptions, inspect};
use rookery_engine::bus::{Bus, Heard};
use secrecy::SecretString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

/// How long two nodes may take to find each other: a handshake that was not done in time begins anew, and on
/// a machine that does much else several may have to.
const PATIENCE: Duration = Duration::from_secs(60);

const PASSWORD: &str = "a secret";

/// A Redis with a certificate for `localhost` and a password, and who has signed it. Gone with the test.
struct Tls {
    dir: PathBuf,
    port: u16,
    _redis: RedisServer,
}

impl Tls {
    async fn start(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("rookery-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder can be made");
        let authority = authority();
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("it is a name");
        let certificate = params.signed_by(&key, &authority).expect("it can be signed");
        let write = |name: &str, text: String| {
            let path = dir.join(name);
            std::fs::write(&path, text).expect("a file can be written");
            path.to_str().expect("a temporary path is UTF-8").to_owned()
        };
        let ca = write("ca.pem", authority.pem());
        write("other.pem", self::authority().pem());
        let (certificate, key) =
            (write("redis.pem", certificate.pem()), write("redis.key", key.serialize_pem()));
        // Freed before Redis takes it: a port that is given to nobody else soon.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let port = port.expect("there is a free port").port();
        let tls_port = port.to_string();
        let arguments = [
            "--tls-port",
            &tls_port,
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            "no",
            "--requirepass",
            PASSWORD,
        ];
        Self { port, _redis: RedisServer::start(&arguments).await, dir }
    }

    fn options(&self, host: &str, password: &str, ca: &str) -> RedisOptions {
        let url =
            SecretString::from(format!("rediss://:{}@{host}:{}", password.replace(' ', "%20"), self.port));
        RedisOptions { url, ca: Some(self.dir.join(ca)), prefix: "tls".to_owned() }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.dir).ok();
    }
}

/// Somebody who signs certificates.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).expect("it has no name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key can be made");
    CertifiedIssuer::self_signed(params, key).expect("it can be signed")
}

#[tokio::test]
async fn nodes_speak_over_tls_with_the_redis_that_was_signed_for() {
    let tls = Tls::start("tls-nodes").await;
    let options = tls.options("localhost", PASSWORD, "ca.pem");
    assert!(inspect(&options).await.expect("it is the one").is_primary);
    let cluster = Cluster::with(options);
    let [one, two] = ["n1", "n2"].map(|name| cluster.join(name));
    for node in [&one, &two] {
        node.sees(2, PATIENCE).await;
    }
    for (from, to) in [(&one, &two), (&two, &one)] {
        assert!(from.bus.send(to.id(), frame("sealed")));
        while to.hear().await != (Heard::Frame { from: from.id(), frame: frame("sealed") }) {}
    }
    for node in [&one, &two] {
        node.bus.close().await.expect("it is left in order");
        node.is_away(WITHIN).await;
    }
}

#[tokio::test]
async fn a_redis_that_proves_to_be_another_is_refused_and_why_is_told() {
    let tls = Tls::start("tls-refused").await;
    let refused = async |host, password, ca| {
        let options = tls.options(host, password, ca);
        let node = Cluster::with(options.clone()).join("n1");
        let said = inspect(&options).await.expect_err("it is refused").to_string();
        assert!(!node.bus.peers().borrow().is_connected);
        said
    };
    let said = refused("localhost", PASSWORD, "other.pem").await;
    assert!(said.contains("invalid peer certificate"), "{said}");
    let said = refused("127.0.0.1", PASSWORD, "ca.pem").await;
    assert!(said.contains("not valid for"), "{said}");
    let said = refused("localhost", "another", "ca.pem").await;
    assert!(said.contains("WRONGPASS") || said.contains("password"), "{said}");
    assert!(!said.contains("another"), "{said}");
}
