//! A real Redis: the one that `ROOKERY_TEST_REDIS` names, or one that `tests/servers/redis` starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The script that starts and stops one.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/redis");

/// A Redis that ends with the test, unless others use it too.
#[derive(Debug)]
pub(crate) struct Redis {
    address: SocketAddr,
    own: Option<PathBuf>,
}

impl Redis {
    /// Finds one, or starts one.
    pub(crate) fn find() -> Self {
        if let Some(address) =
            std::env::var_os("ROOKERY_TEST_REDIS").and_then(|named| named.into_string().ok())
        {
            return Self { address: address.parse().expect("ROOKERY_TEST_REDIS is ADDRESS:PORT"), own: None };
        }
        let thread = std::thread::current().name().unwrap_or_default().replace("::", "-");
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{thread}-{}", std::process::id()));
        let started = Command::new(SCRIPT).arg("start").arg(&folder).stderr(Stdio::inherit()).output();
        let said = String::from_utf8(started.expect("bash is there").stdout).expect("it says text");
        let address = said.split_whitespace().find_map(|word| word.strip_prefix("ADDR="));
        let address = address.expect("tests/servers/redis has said why there is no Redis");
        Self { address: address.parse().expect("it says an address"), own: Some(folder) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(folder) = &self.own {
            drop(Command::new(SCRIPT).arg("stop").arg(folder).status());
            drop(std::fs::remove_dir_all(folder));
        }
    }
}
