//! Which store and which files a configuration stands for, as a backup reads them and a restore fills them.

use crate::wiring;
use anyhow::{Context, Result, bail};
use rookery_api::Config;
use rookery_api::config::{FilesPlace, StoragePlace};
use rookery_blobs_object::ObjectBlobs;
use rookery_engine::blobs::{Blobs, MemoryBlobs};
use rookery_engine::store::Export;
use rookery_store_sqlite::{SqliteOptions, SqliteSnapshot, SqliteStore};
use std::path::Path;
use std::sync::Arc;

/// The kind of store, as a backup says it.
pub(super) const STORE: &str = "sqlite";

/// Returns the folder of the embedded store.
///
/// # Errors
/// Where the configuration says that everything is in ScyllaDB or Cassandra, which cannot do this yet.
fn embedded(config: &Config) -> Result<&Path> {
    match config.storage.place {
        StoragePlace::Embedded => Ok(&config.storage.data_dir),
        StoragePlace::Cql(_) => bail!(
            "use this store: only the embedded one is backed up and restored so far; ScyllaDB and Cassandra \
             have snapshots of their own"
        ),
    }
}

/// Opens the store as it is at this moment; a server may go on to use it.
pub(super) fn source(config: &Config) -> Result<Box<dyn Export>> {
    let dir = embedded(config)?;
    let store = SqliteSnapshot::open(dir).with_context(|| format!("open the store in {}", dir.display()))?;
    if store.importing()?.is_some() {
        bail!("back up this store: a restore has not come to its end here");
    }
    Ok(Box::new(store))
}

/// Returns the store in the data folder to be looked at before anything is written, if there is one.
pub(super) fn look(config: &Config) -> Result<Option<SqliteSnapshot>> {
    let dir = embedded(config)?;
    if !dir.join("rookery.db").exists() {
        return Ok(None);
    }
    Ok(Some(SqliteSnapshot::open(dir).with_context(|| format!("open the store in {}", dir.display()))?))
}

/// Opens the store to be filled, which nobody else has open then.
pub(super) fn target(config: &Config) -> Result<SqliteStore> {
    let dir = embedded(config)?;
    wiring::make_private(dir).with_context(|| format!("make the data dir {}", dir.display()))?;
    Ok(SqliteStore::open(&SqliteOptions::in_dir(dir))?)
}

/// Opens the bytes of files to be read; a server may go on to use them.
pub(super) fn bytes(config: &Config) -> Result<Arc<dyn Blobs>> {
    match &config.files.place {
        FilesPlace::Folder(dir) if !dir.exists() => Ok(Arc::new(MemoryBlobs::new())),
        FilesPlace::Folder(dir) => Ok(Arc::new(ObjectBlobs::beside_on_disk(dir)?)),
        bucket @ FilesPlace::Bucket(_) => wiring::open_blobs(bucket),
    }
}
