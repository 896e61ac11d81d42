//! Where messages, accounts and all else are.

use anyhow::{Context, Result, bail};
use rookery_api::config::{CqlConfig, StorageConfig, StoragePlace};
use rookery_engine::metrics::StoreMetrics;
use rookery_engine::search::Search;
use rookery_engine::store::{Import, MeteredStore, Store};
use rookery_engine::{Clock, Tasks};
use rookery_search_tantivy::{TantivyOptions, TantivySearch};
use rookery_store_cql::{CqlOptions, CqlStore, Replication};
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use std::sync::Arc;

/// Opens the store, and what finds messages there by their words; what they do by themselves runs on `tasks`.
pub(super) async fn open(
    config: &StorageConfig,
    clock: &Arc<dyn Clock>,
    tasks: &Tasks,
    metrics: &StoreMetrics,
) -> Result<(Arc<dyn Store>, Arc<dyn Search>)> {
    match &config.place {
        StoragePlace::Embedded => {
            let options =
                SqliteOptions { metrics: metrics.clone(), ..SqliteOptions::in_dir(&config.data_dir) };
            let sqlite = Arc::new(SqliteStore::open(&options)?);
            check_whole(&*sqlite).await?;
            let store = MeteredStore::over(Arc::clone(&sqlite) as _, metrics.clone(), Arc::clone(clock));
            Ok((store, sqlite))
        }
        StoragePlace::Cql(cql) => {
            let options = CqlOptions { metrics: metrics.clone(), ..cql_options(cql) };
            let cql = CqlStore::open(&options).await.context("open the store")?;
            check_whole(&cql).await?;
            let store: Arc<dyn Store> = MeteredStore::over(Arc::new(cql), metrics.clone(), Arc::clone(clock));
            let options = TantivyOptions::in_dir(config.data_dir.join("search"));
            let search = TantivySearch::open(&options, Arc::clone(&store), Arc::clone(clock), tasks)
                .context("open the search index")?;
            Ok((store, Arc::new(search)))
        }
    }
}

/// Checks that no restore has stopped halfway.
async fn check_whole(store: &dyn Import) -> Result<()> {
    if store.importing().await?.is_some() {
        bail!(
            "serve from this store: a restore has not come to its end here; go on with `rookery restore --resume`"
        );
    }
    Ok(())
}

/// Returns what the adapter is told of a cluster of ScyllaDB or Cassandra.
pub(crate) fn cql_options(config: &CqlConfig) -> CqlOptions {
    let CqlConfig { nodes, keyspace, replication, datacenter, login, ca } = config.clone();
    let replication = match replication {
        rookery_api::config::Replication::Simple(copies) => Replication::Simple(copies),
        rookery_api::config::Replication::DataCenters(copies) => Replication::ByDatacenter(copies),
    };
    CqlOptions { keyspace, replication, datacenter, login, ca, ..CqlOptions::at(nodes) }
}
