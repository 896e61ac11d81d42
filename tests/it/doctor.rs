//! The real binary, asked how a cluster stands.

mod cassandra;

use crate::folder::Folder;
use cassandra::Cassandra;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rookery_tests::server::rookery;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a server of a cluster is told, for a place where it keeps its index.
struct Setting {
    folder: Folder,
    env: BTreeMap<&'static str, String>,
}

impl Setting {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let files = folder.at("files").display().to_string();
        let env = BTreeMap::from([
            ("ROOKERY_SERVER__LISTEN", "127.0.0.1:0".to_owned()),
            ("ROOKERY_SERVER__ADMIN_LISTEN", "127.0.0.1:0".to_owned()),
            ("ROOKERY_STORAGE__DATA_DIR", folder.0.display().to_string()),
            ("ROOKERY_AUTH__SIGNING_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
            ("ROOKERY_FILES__DIR", files),
            ("ROOKERY_LOG__FILTER", "error".to_owned()),
        ]);
        Self { folder, env }
    }

    fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.env.insert(name, value.into());
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = rookery().args(arguments).envs(&self.env).stderr(Stdio::inherit()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    /// Returns the doctor's exit code, and the level and the detail of each finding.
    fn doctor(&self) -> (i32, BTreeMap<String, (String, String)>) {
        let (code, said) = self.run(&["doctor", "--json"]);
        let findings: Vec<Value> = serde_json::from_str(&said).expect("it says JSON");
        let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
        let named =
            |finding: &Value| (text(finding, "name"), (text(finding, "level"), text(finding, "detail")));
        (code, findings.iter().map(named).collect())
    }
}

/// A Redis that `tests/servers/redis` starts. It ends with the test.
struct Redis {
    dir: PathBuf,
    address: String,
}

impl Redis {
    const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/redis");

    fn start(folder: &Folder) -> Self {
        let dir = folder.at("redis");
        let started = Command::new(Self::SCRIPT).arg("start").arg(&dir).stderr(Stdio::inherit()).output();
        let said = String::from_utf8(started.unwrap().stdout).unwrap();
        let address = said.split_whitespace().find_map(|word| word.strip_prefix("ADDR="));
        Self { address: address.expect("it says where it is").to_owned(), dir }
    }

    fn command(&self, words: &str) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(format!("{words}\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert_eq!(answer, "+OK\r\n", "{words}");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(Command::new(Self::SCRIPT).arg("stop").arg(&self.dir).status());
    }
}

/// Somebody who signs certificates.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a key with its certificate for 127.0.0.1, and returns what has Cassandra use them for clients.
fn encryption(folder: &Folder, authority: &CertifiedIssuer<'_, KeyPair>) -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, authority);
    let pem = folder.at("cassandra.pem");
    std::fs::write(&pem, format!("{}{}", key.serialize_pem(), certificate.unwrap().pem())).unwrap();
    format!(
        "client_encryption_options:\n  enabled: true\n  optional: true\n  keystore: {}\n  ssl_context_factory:\n    \
         class_name: org.apache.cassandra.security.PEMBasedSslContextFactory\n",
        pem.display()
    )
}

#[test]
fn what_is_wrong_with_a_cluster_is_told_before_a_server_starts_on_it() {
    let mut setting = Setting::new("doctor");
    let authority = authority();
    let extra = encryption(&setting.folder, &authority);
    let extra = format!("{extra}commitlog_sync: periodic\ncommitlog_sync_period: 10000ms\n");
    let (cassandra, redis) = (Cassandra::start(&setting.folder, &extra), Redis::start(&setting.folder));
    let ca = setting.folder.at("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    setting.set("ROOKERY_STORAGE__CQL_NODES", cassandra.address());
    setting.set("ROOKERY_STORAGE__CQL_CA", ca.to_str().unwrap());
    setting.set("ROOKERY_CLUSTER__REDIS_URL", format!("redis://{}", redis.address));

    // Three copies are the default, and there is one node.
    let (code, found) = setting.doctor();
    assert_eq!(code, 1, "{found:?}");
    let (level, detail) = &found["replication"];
    assert!(level == "fail" && detail.contains("3 copies") && detail.contains("needs 2 nodes"), "{detail}");
    assert!(found["migrations"].1.starts_with("the next start applies 0001_start"), "{found:?}");

    setting.set("ROOKERY_STORAGE__CQL_REPLICATION", "1");
    assert_eq!(setting.run(&["migrate"]).0, 0);
    let (code, found) = setting.doctor();
    let levels: BTreeMap<_, _> =
        found.iter().map(|(name, (level, _))| (name.as_str(), level.as_str())).collect();
    assert_eq!(code, 0, "{found:?}");
    let expected =
        [("database", "ok"), ("replication", "warn"), ("migrations", "ok"), ("commit log", "warn")];
    for (name, level) in expected.into_iter().chain([("clocks", "ok"), ("redis", "ok"), ("lock", "ok")]) {
        assert_eq!(levels.get(name), Some(&level), "{name}: {found:?}");
    }
    assert!(found["database"].1.contains("Cassandra 5"), "{found:?}");
    assert!(found["commit log"].1.contains("periodic"), "{found:?}");
    assert!(found["migrations"].1.starts_with("all "), "{found:?}");

    redis.command("CONFIG SET maxmemory 104857600");
    redis.command("CONFIG SET maxmemory-policy allkeys-lru");
    let (_, found) = setting.doctor();
    assert!(found["redis"].0 == "warn" && found["redis"].1.contains("allkeys-lru"), "{found:?}");

    drop(redis);
    std::fs::write(&ca, self::authority().pem()).unwrap();
    let (code, found) = setting.doctor();
    assert_eq!((code, found["redis"].0.as_str()), (1, "fail"), "{found:?}");
    let (level, detail) = &found["database"];
    assert!(level == "fail" && detail.contains("invalid peer certificate"), "{detail}");
}
