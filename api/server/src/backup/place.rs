//! Which store and which files a configuration stands for, as a backup reads them and a restore fills them.

use crate::wiring;
use anyhow::{Context, Result, bail};
use rookery_api::Config;
use rookery_api::config::{FilesPlace, StoragePlace};
use rookery_blobs_object::ObjectBlobs;
use rookery_engine::blobs::{Blobs, MemoryBlobs};
use rookery_engine::store::{Export, Import, Progress, Store};
use rookery_store_cql::{CqlSource, CqlStore};
use rookery_store_sqlite::{SqliteOptions, SqliteSnapshot, SqliteStore};
use std::sync::Arc;

/// Returns the kind of store, as a backup says it.
pub(super) const fn kind(config: &Config) -> &'static str {
    match config.storage.place {
        StoragePlace::Embedded => "sqlite",
        StoragePlace::Cql(_) => "cql",
    }
}

/// A store that is only looked at, and how far it has been filled if that has not ended.
pub(super) struct Looked {
    pub(super) store: Box<dyn Export>,
    pub(super) importing: Option<Progress>,
}

impl Looked {
    async fn at<S: Export + Import + 'static>(store: S) -> Result<Self> {
        let importing = store.importing().await?;
        Ok(Self { store: Box::new(store), importing })
    }
}

/// Returns the store as it is at this moment, or from this moment on; servers may go on to use it.
pub(super) async fn source(config: &Config) -> Result<Box<dyn Export>> {
    let source = match &config.storage.place {
        StoragePlace::Embedded => snapshot(config)?,
        StoragePlace::Cql(cql) => {
            let source = CqlSource::open(&wiring::cql_options(cql)).await.context("open the store")?;
            match source {
                Some(source) => {
                    Some(Looked { importing: source.importing().await?, store: Box::new(source) })
                }
                None => None,
            }
        }
    };
    let Looked { store, importing } = source.with_context(|| format!("find a store {}", place(config)))?;
    if importing.is_some() {
        bail!("back up this store: a restore has not come to its end here");
    }
    Ok(store)
}

/// Returns the store to be looked at before anything is written, if there is one.
pub(super) async fn look(config: &Config) -> Result<Option<Looked>> {
    match &config.storage.place {
        StoragePlace::Embedded => snapshot(config),
        StoragePlace::Cql(cql) => {
            let store = CqlStore::open_as_it_is(&wiring::cql_options(cql)).await.context("open the store")?;
            match store {
                Some(store) => Looked::at(store).await.map(Some),
                None => Ok(None),
            }
        }
    }
}

fn snapshot(config: &Config) -> Result<Option<Looked>> {
    let dir = &config.storage.data_dir;
    if !dir.join("rookery.db").exists() {
        return Ok(None);
    }
    let store = SqliteSnapshot::open(dir).with_context(|| format!("open the store {}", place(config)))?;
    let importing = store.importing()?;
    Ok(Some(Looked { store: Box::new(store), importing }))
}

/// Says where the store is, after what is done to it.
fn place(config: &Config) -> String {
    match &config.storage.place {
        StoragePlace::Embedded => format!("in {}", config.storage.data_dir.display()),
        StoragePlace::Cql(cql) => format!("in the keyspace {} of {}", cql.keyspace, cql.nodes.join(", ")),
    }
}

/// A store to be filled.
pub(super) trait Filled: Store + Export + Import {}

impl<S: Store + Export + Import> Filled for S {}

/// Opens the store to be filled. The embedded one nobody else has open then; of a cluster nobody knows.
pub(super) async fn target(config: &Config) -> Result<Box<dyn Filled>> {
    Ok(match &config.storage.place {
        StoragePlace::Embedded => {
            let dir = &config.storage.data_dir;
            wiring::make_private(dir).with_context(|| format!("make the data dir {}", dir.display()))?;
            Box::new(SqliteStore::open(&SqliteOptions::in_dir(dir))?)
        }
        StoragePlace::Cql(cql) => {
            Box::new(CqlStore::open(&wiring::cql_options(cql)).await.context("open the store")?)
        }
    })
}

/// Opens the bytes of files to be read; a server may go on to use them.
pub(super) fn bytes(config: &Config) -> Result<Arc<dyn Blobs>> {
    match &config.files.place {
        FilesPlace::Folder(dir) if !dir.exists() => Ok(Arc::new(MemoryBlobs::new())),
        FilesPlace::Folder(dir) => Ok(Arc::new(ObjectBlobs::beside_on_disk(dir)?)),
        bucket @ FilesPlace::Bucket(_) => wiring::open_blobs(bucket),
    }
}
