//! Sources over each other, and every mistake told with its place.

use super::*;
use std::path::PathBuf;

pub(super) fn env(pairs: &[(&str, &str)]) -> Sources {
    Sources {
        env: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Sources::default()
    }
}

pub(super) fn errors(sources: &Sources) -> String {
    Config::load(sources).err().map(|errors| errors.to_string()).unwrap_or_default()
}

/// A file that is gone when the test ends.
struct TempFile(PathBuf);

impl TempFile {
    fn holding(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rookery-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

#[test]
fn nothing_needs_to_be_set() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:7080");
    assert_eq!(config.server.admin_listen.to_string(), "127.0.0.1:7081");
    assert_eq!((config.auth.argon2_memory_kib, config.auth.argon2_passes), (19_456, 2));
    assert!(config.auth.argon2_threads >= 1 && config.auth.signing_key.is_none() && !config.limits.relaxed);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = TempFile::holding(
        "layers",
        "[server]\nnode = \"file\"\nmax_headers = 32\nlisten = \"127.0.0.1:1\"\n",
    );
    let mut sources = env(&[("ROOKERY_SERVER__NODE", "env"), ("ROOKERY_SERVER__LISTEN", "127.0.0.1:2")]);
    sources.file = Some(file.0.clone());
    sources.flags.push(("server.listen", "--listen", "127.0.0.1:3".to_owned()));
    let (config, settings) = Config::load_with_settings(&sources).unwrap();
    assert_eq!(config.server.node, "env");
    assert_eq!(config.server.max_headers, 32);
    assert_eq!(config.server.listen.port(), 3);
    let origin = |key: &str| settings.iter().find(|setting| setting.key == key).unwrap().origin.clone();
    assert_eq!(origin("server.listen"), "--listen");
    assert_eq!(origin("server.node"), "ROOKERY_SERVER__NODE");
    assert_eq!(origin("server.max_headers"), file.0.display().to_string());
    assert_eq!(origin("log.format"), "default");
}

#[test]
fn lists_and_switches_come_from_the_environment_too() {
    let sources = env(&[
        ("ROOKERY_SERVER__ALLOWED_ORIGINS", "https://a.example, https://b.example:8443"),
        ("ROOKERY_LIMITS__RELAXED", "true"),
        ("ROOKERY_URL", "not a setting"),
        ("PATH", "/bin"),
    ]);
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.server.allowed_origins, ["https://a.example", "https://b.example:8443"]);
    assert!(config.limits.relaxed);
}

#[test]
fn a_secret_may_stand_in_a_file_and_is_never_shown() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let file = TempFile::holding("secret", &format!("{key}\n"));
    let sources = env(&[("ROOKERY_AUTH__SIGNING_KEY_FILE", file.0.to_str().unwrap())]);
    let (config, settings) = Config::load_with_settings(&sources).unwrap();
    assert!(config.auth.signing_key.is_some());
    let shown = format!("{config:?} {settings:?}");
    assert!(!shown.contains(key) && shown.contains("(set)"));

    let short = errors(&env(&[("ROOKERY_AUTH__SIGNING_KEY", "c2VjcmV0")]));
    assert!(short.contains("32 bytes in base64") && !short.contains("c2VjcmV0"), "{short}");
}

#[test]
fn a_mistake_names_its_place_what_was_found_and_what_is_allowed() {
    let cases = [
        (
            "ROOKERY_SERVER__LISTEN",
            "localhost",
            "server.listen from ROOKERY_SERVER__LISTEN: found `localhost`, allowed is an IP address and a port",
        ),
        (
            "ROOKERY_AUTH__ARGON2_PASSES",
            "0",
            "auth.argon2_passes from ROOKERY_AUTH__ARGON2_PASSES: found `0`, allowed is a whole number from 1 to 16",
        ),
        (
            "ROOKERY_AUTH__ARGON2_PASSES",
            "many",
            "auth.argon2_passes from ROOKERY_AUTH__ARGON2_PASSES: found string \"many\", allowed is",
        ),
        ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "7168", "memory times passes of at least 35840"),
        (
            "ROOKERY_LOG__FORMAT",
            "xml",
            "log.format from ROOKERY_LOG__FORMAT: found `xml`, allowed is auto, pretty or json",
        ),
        (
            "ROOKERY_SERVER__TRUSTED_PROXIES",
            "127.0.0.1,proxy",
            "server.trusted_proxies from ROOKERY_SERVER__TRUSTED_PROXIES: found `proxy`",
        ),
        ("ROOKERY_LOG__FILTER", "a=b=info", "log.filter from ROOKERY_LOG__FILTER: found `a=b=info`"),
        (
            "ROOKERY_SERVER__ALLOWED_ORIGINS",
            "chat.example.org",
            "server.allowed_origins from ROOKERY_SERVER__ALLOWED_ORIGINS: found `chat.example.org`",
        ),
        (
            "ROOKERY_SERVER__PORT",
            "1",
            "server.port from ROOKERY_SERVER__PORT: there is no such setting; [server] has server.",
        ),
        (
            "ROOKERY_SEVRER__NODE",
            "1",
            "sevrer.node from ROOKERY_SEVRER__NODE: there is no such setting; the sections are",
        ),
        (
            "ROOKERY_SERVER__NODE_FILE",
            "x",
            "server.node_file from ROOKERY_SERVER__NODE_FILE: there is no such setting",
        ),
    ];
    for (variable, value, wanted) in cases {
        let told = errors(&env(&[(variable, value)]));
        assert!(told.contains(wanted), "{variable}={value}: {told}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let told = errors(&env(&[("ROOKERY_SERVER__LISTEN", "x"), ("ROOKERY_LOG__FORMAT", "y")]));
    assert!(told.contains("server.listen") && told.contains("log.format"), "{told}");
}

#[test]
fn a_file_that_is_missing_broken_or_misspelt_is_named() {
    let missing = Sources { file: Some(PathBuf::from("/nowhere/rookery.toml")), ..Sources::default() };
    assert!(errors(&missing).contains("read /nowhere/rookery.toml"));
    let load = |name: &str, text: &str| {
        let file = TempFile::holding(name, text);
        errors(&Sources { file: Some(file.0.clone()), ..Sources::default() })
    };
    let broken = load("broken", "[server\n");
    assert!(broken.contains("rookery-broken"), "{broken}");
    let unquoted = load("unquoted", "[auth]\nsigning_key = c2VjcmV0\n");
    assert!(unquoted.contains("line 2") && !unquoted.contains("c2VjcmV0"), "{unquoted}");
    let misspelt = load("misspelt", "[server]\nlisten_on = \"x\"\n");
    assert!(misspelt.contains("server.listen_on") && misspelt.contains("rookery-misspelt"), "{misspelt}");
    let mistyped = load("mistyped", "[server]\nmax_headers = \"a lot\"\n");
    assert!(mistyped.contains("server.max_headers") && mistyped.contains("rookery-mistyped"), "{mistyped}");
}

#[test]
fn relaxed_limits_let_passwords_be_cheap() {
    let cheap = ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "8");
    assert!(errors(&env(&[cheap])).contains("auth.argon2_memory_kib"));
    assert!(Config::load(&env(&[cheap, ("ROOKERY_LIMITS__RELAXED", "true")])).is_ok());
}

#[test]
fn the_schema_in_the_repository_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/config.schema.json");
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    if std::env::vars().any(|(name, _)| name == "UPDATE") {
        std::fs::write(path, &schema).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == schema,
        "schemas/config.schema.json is out of date: UPDATE=1 cargo test -p rookery-api schema"
    );
}

#[test]
fn what_the_servers_of_a_cluster_share_has_to_be_set() {
    let redis = ("ROOKERY_CLUSTER__REDIS_URL", "redis://:pw@127.0.0.1:6379");
    let said = errors(&env(&[redis]));
    for key in ["storage.cql_nodes", "auth.signing_key", "files.s3_bucket"] {
        assert!(said.contains(&format!("use {key} from default: found `(nothing)`")), "{said}");
    }
    let shared = [
        redis,
        ("ROOKERY_STORAGE__CQL_NODES", "10.0.0.1:9042,10.0.0.2:9042"),
        ("ROOKERY_STORAGE__CQL_REPLICATION", "dc1:3,dc2:2"),
        ("ROOKERY_AUTH__SIGNING_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("ROOKERY_FILES__DIR", "/srv/files"),
    ];
    let (config, settings) = Config::load_with_settings(&env(&shared)).unwrap();
    let StoragePlace::Cql(cql) = &config.storage.place else { panic!("{:?}", config.storage) };
    assert_eq!((cql.nodes.len(), cql.keyspace.as_str()), (2, "rookery"));
    let centres = vec![("dc1".to_owned(), 3), ("dc2".to_owned(), 2)];
    assert_eq!(cql.replication, Replication::DataCenters(centres));
    assert_eq!(config.cluster.as_ref().unwrap().prefix, "rookery");
    assert!(!format!("{config:?} {settings:?}").contains("pw@"));
}

#[test]
fn mistakes_about_a_cluster_are_told() {
    for (name, value, allowed) in [
        ("ROOKERY_STORAGE__CQL_NODES", "cassandra", "host:port"),
        ("ROOKERY_STORAGE__CQL_KEYSPACE", "Rookery;", "a-z 0-9 _, a letter first"),
        ("ROOKERY_STORAGE__CQL_REPLICATION", "0", "copies from 1 to 9"),
        ("ROOKERY_STORAGE__CQL_REPLICATION", "dc1:3,'", "copies from 1 to 9"),
        ("ROOKERY_STORAGE__CQL_USER", "rook", "or neither"),
        ("ROOKERY_CLUSTER__REDIS_PREFIX", "a b", "1 to 32"),
        ("ROOKERY_CLUSTER__REDIS_URL", "127.0.0.1:6379", "redis://"),
    ] {
        let said = errors(&env(&[(name, value)]));
        assert!(said.contains(allowed), "{name}={value}: {said}");
    }
}

/// Returns a value for each setting, other than its default.
fn other_value(key: &str, value: &serde_json::Value) -> String {
    match key {
        "server.listen" | "server.admin_listen" => "127.0.0.1:9999".to_owned(),
        "server.public_url" | "server.node_url" | "server.allowed_origins" | "server.security_contact" => {
            "https://a.example".to_owned()
        }
        "server.trusted_proxies" => "192.0.2.1".to_owned(),
        "storage.cql_nodes" => "10.0.0.1:9042".to_owned(),
        "storage.cql_replication" => "dc1:2".to_owned(),
        "auth.signing_key" => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned(),
        "auth.providers" => {
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/providers.toml").to_owned()
        }
        "auth.argon2_memory_kib" => "40000".to_owned(),
        "auth.argon2_threads" => "7".to_owned(),
        "log.filter" => "debug".to_owned(),
        "log.format" => "json".to_owned(),
        _ => match value {
            serde_json::Value::Bool(set) => (!set).to_string(),
            serde_json::Value::Number(number) => {
                number.as_u64().map_or_else(|| "0.5".to_owned(), |number| (number + 1).to_string())
            }
            _ => "other".to_owned(),
        },
    }
}

#[test]
fn a_reload_takes_over_what_the_schema_says_and_nothing_else() {
    let (running, settings) = Config::load_with_settings(&Sources::default()).unwrap();
    let shown = |config: &Config| format!("{config:?}");
    let (mut taken, mut left) = (0, 0);
    for setting in settings {
        let variable = format!("ROOKERY_{}", setting.key.to_uppercase().replace('.', "__"));
        // Some make sense only together with others; none of those are taken over.
        let value = other_value(&setting.key, &setting.value);
        let Ok(new) = Config::load(&env(&[(&variable, &value)])) else {
            assert!(!setting.reloads, "{} has no other value: {value}", setting.key);
            continue;
        };
        assert!(!setting.reloads || shown(&new) != shown(&running), "{} is set", setting.key);
        let reloaded = running.reloaded(&new);
        let wanted = if setting.reloads { &new } else { &running };
        assert_eq!(shown(&reloaded), shown(wanted), "{}", setting.key);
        *(if setting.reloads { &mut taken } else { &mut left }) += 1;
    }
    assert!(taken >= 10 && left >= 20, "{taken} are taken over, {left} are not");
}
