//! The folder of the index: its lock, and the index that is there or a new one.

use crate::index::{Mark, OpenIndex};
use crate::options::{OpenError, TantivyOptions};
use std::fs::{DirBuilder, File, TryLockError};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use tantivy::directory::MmapDirectory;

/// The lock, outside of what is removed when the index is made anew.
const LOCK: &str = "lock";

/// The index.
const INDEX: &str = "index";

/// A folder that no other process uses for as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    options: TantivyOptions,
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is absent, and locks it.
    pub(crate) fn lock(options: &TantivyOptions) -> Result<Self, OpenError> {
        let path = options.dir.join(LOCK);
        let failed = |source| OpenError::Folder { dir: options.dir.clone(), source };
        make(&options.dir).map_err(failed)?;
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { options: options.clone(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { lock: path }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    pub(crate) const fn options(&self) -> &TantivyOptions {
        &self.options
    }

    /// Opens the index that is there, or an empty one in the place of whatever is there.
    pub(crate) fn open(&self) -> Result<(OpenIndex, Vec<Mark>), OpenError> {
        let reuse = || {
            let index = OpenIndex::open(self.directory()?, self.options.writer_memory())?;
            let marks = index.marks()?;
            Ok::<_, tantivy::TantivyError>((index, marks))
        };
        if self.index().exists() {
            match reuse() {
                Ok(opened) => return Ok(opened),
                Err(error) => tracing::warn!(%error, "the search index cannot be used: it is made anew"),
            }
        }
        let failed = |source| OpenError::Folder { dir: self.index(), source };
        self.remove().map_err(failed)?;
        make(&self.index()).map_err(failed)?;
        let failed = |source| OpenError::Index { dir: self.index(), source };
        let directory = self.directory().map_err(failed)?;
        let index = OpenIndex::create(directory, self.options.writer_memory()).map_err(failed)?;
        Ok((index, Vec::new()))
    }

    /// Removes the index, so that the next one is new.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        match std::fs::remove_dir_all(self.index()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns how many bytes the index takes on the disk.
    pub(crate) fn bytes(&self) -> Result<u64, Error> {
        let mut bytes = 0;
        for file in std::fs::read_dir(self.index())? {
            match file?.metadata() {
                Ok(file) => bytes += file.len(),
                // A merge has ended.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
    }

    fn index(&self) -> PathBuf {
        self.options.dir.join(INDEX)
    }

    fn directory(&self) -> tantivy::Result<MmapDirectory> {
        MmapDirectory::open(self.index()).map_err(tantivy::TantivyError::from)
    }
}

/// Makes a folder that only this user may read: messages are in it.
fn make(dir: &std::path::Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
