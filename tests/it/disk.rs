//! A disk that fails when a test says so: `faults/disk_fault.c`, preloaded into the real binary.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The library and the flag file it looks at.
pub(crate) struct Fault {
    library: PathBuf,
    flag: PathBuf,
}

impl Fault {
    /// Builds the library into `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { library: preloaded("disk_fault", folder), flag: folder.join("fault") }
    }

    /// What a server's environment has to hold.
    pub(crate) fn env(&self) -> [(&str, &str); 2] {
        [("LD_PRELOAD", text(&self.library)), ("DISK_FAULT_FLAG", text(&self.flag))]
    }

    /// Has the disk fail in this way from now on.
    pub(crate) fn set(&self, fault: &str) {
        std::fs::write(&self.flag, fault).unwrap();
    }

    /// Has the disk work again.
    pub(crate) fn clear(&self) {
        std::fs::remove_file(&self.flag).unwrap();
    }
}

/// Builds a library of `tests/faults` into `folder`, to be preloaded into a process.
pub(crate) fn preloaded(name: &str, folder: &Path) -> PathBuf {
    let library = folder.join(name).with_extension("so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults").join(name).with_extension("c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-o"]).args([&library, &source]).args(["-ldl", "-lpthread"]);
    assert!(compiler.status().expect("there is a C compiler, as SQLite needs one").success());
    library
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is UTF-8")
}
