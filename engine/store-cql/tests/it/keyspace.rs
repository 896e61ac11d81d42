//! A keyspace of one test's own, which can be emptied.

use rookery_store_cql::{CqlOptions, CqlStore, Replication};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use std::time::Duration;

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

pub(crate) struct Keyspace {
    pub(crate) options: CqlOptions,
    pub(crate) session: Session,
}

impl Keyspace {
    /// Makes the keyspace of the test `name`, not yet with a schema.
    pub(crate) async fn new(name: &str, bucket_size: u64) -> Self {
        let keyspace = format!("t{}_{name}", std::process::id());
        let session = SessionBuilder::new().known_node(server()).build().await.expect("the server answers");
        let options = CqlOptions {
            keyspace,
            replication: Replication::Simple(1),
            bucket_size,
            wait: Duration::from_secs(20),
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

    /// Takes the keyspace away.
    pub(crate) async fn end(self) {
        let statement = format!("DROP KEYSPACE IF EXISTS {}", self.options.keyspace);
        self.session.query_unpaged(statement, ()).await.expect("drop the keyspace");
    }
}
