//! A keyspace that one test has to itself; others have it before and after.

use rookery_store_cql::{CqlOptions, CqlStore, Replication};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a change of the schema may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// The tables that outlast an emptying.
const KEPT: [&str; 3] = ["migrations", "migration_lock", "kept_options"];

/// Returns where the tests' own server is.
///
/// # Panics
/// When there is none.
#[expect(clippy::disallowed_methods, reason = "the environment is how a test server is handed over")]
pub(crate) fn server() -> String {
    std::env::var("ROOKERY_TEST_CASSANDRA").expect(
        "ROOKERY_TEST_CASSANDRA is host:port of a Cassandra; \
         `tests/servers/with cassandra -- cargo test -p rookery-store-cql` starts one and sets it",
    )
}

/// Keyspaces that no test has at the moment, by the size of their buckets: to make one takes seconds.
static IDLE: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());

/// How many keyspaces this process has made.
static MADE: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Keyspace {
    pub(crate) options: CqlOptions,
    pub(crate) session: Session,
}

impl Keyspace {
    /// Returns a keyspace for one test, empty, perhaps not yet with a schema.
    pub(crate) async fn new(name: &str, bucket_size: u64) -> Self {
        let idle = {
            let mut idle = IDLE.lock().expect("nobody panics with it");
            let index = idle.iter().position(|(size, _)| *size == bucket_size);
            index.map(|index| idle.swap_remove(index).1)
        };
        let is_used = idle.is_some();
        let keyspace = Self::named(idle.unwrap_or_else(|| fresh(name)), bucket_size).await;
        if is_used {
            keyspace.empty(|_| true).await;
        }
        keyspace
    }

    /// Returns a keyspace that was never there.
    pub(crate) async fn fresh(name: &str, bucket_size: u64) -> Self {
        Self::named(fresh(name), bucket_size).await
    }

    async fn named(keyspace: String, bucket_size: u64) -> Self {
        let profile = ExecutionProfile::builder().request_timeout(Some(PATIENCE)).build();
        let builder = SessionBuilder::new().known_node(server()).fetch_schema_metadata(false);
        let builder = builder.default_execution_profile_handle(profile.into_handle());
        let session = builder.build().await.expect("the server answers");
        let options = CqlOptions {
            keyspace,
            replication: Replication::Simple(1),
            bucket_size,
            wait: PATIENCE,
            ..CqlOptions::at([server()])
        };
        Self { options, session }
    }

    pub(crate) async fn open(&self) -> CqlStore {
        CqlStore::open(&self.options).await.expect("open the store")
    }

    /// Opens the store after taking away all that was written to it.
    pub(crate) async fn open_empty(&self) -> CqlStore {
        self.empty(|_| true).await;
        self.open().await
    }

    /// Empties the tables among those that hold data.
    pub(crate) async fn empty(&self, which: impl Fn(&str) -> bool) {
        let keyspace = &self.options.keyspace;
        for table in self.tables().await {
            let is_emptied = !KEPT.contains(&table.as_str()) && which(&table);
            // Emptying takes 20 times as long as looking. But deleted notices hide new ones of the same positions.
            if is_emptied && (table == "notices" || self.has_rows(&table).await) {
                let statement = format!("TRUNCATE {keyspace}.{table}");
                self.session.query_unpaged(statement, ()).await.expect("truncate");
            }
        }
    }

    async fn has_rows(&self, table: &str) -> bool {
        let query = format!("SELECT * FROM {}.{table} LIMIT 1", self.options.keyspace);
        let result = self.session.query_unpaged(query, ()).await.expect("read");
        result.into_rows_result().expect("rows").rows_num() > 0
    }

    async fn tables(&self) -> Vec<String> {
        let query = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?";
        let result = self.session.query_unpaged(query, (&self.options.keyspace,)).await.expect("read");
        let result = result.into_rows_result().expect("rows");
        let rows = result.rows::<(String,)>().expect("names");
        rows.map(|row| row.expect("a name").0).collect()
    }

    /// Leaves the keyspace to the next test.
    #[expect(clippy::unused_async, reason = "the counterpart of making one")]
    pub(crate) async fn end(self) {
        let CqlOptions { keyspace, bucket_size, .. } = self.options;
        IDLE.lock().expect("nobody panics with it").push((bucket_size, keyspace));
    }

    /// Takes the keyspace away.
    pub(crate) async fn remove(self) {
        let statement = format!("DROP KEYSPACE IF EXISTS {}", self.options.keyspace);
        self.session.query_unpaged(statement, ()).await.expect("drop the keyspace");
    }
}

fn fresh(name: &str) -> String {
    format!("t{}_{}_{name}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}
