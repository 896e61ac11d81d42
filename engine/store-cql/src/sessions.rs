//! Login sessions.

use crate::cql::Cql;
use scylla::errors::PrepareError;

/// The statements.
#[derive(Debug)]
pub(crate) struct SessionStatements;

#[expect(clippy::unused_async, reason = "a stub")]
impl SessionStatements {
    pub(crate) async fn prepare(_cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self)
    }
}
