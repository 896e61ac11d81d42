//! What an error of the driver means: applied or not, and whether the cluster answers at all.

use rookery_engine::store::StoreError;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};

/// What a request would have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: it reads.
    None,
    /// A plain write.
    Write,
    /// A write if its condition holds.
    Conditional,
}

/// Sorts an error. What is not known for certain to have changed nothing is unknown.
pub(crate) fn meaning(error: &ExecutionError, effect: Effect) -> StoreError {
    let reason = error.to_string();
    if effect == Effect::None || is_refusal(error) {
        StoreError::Refused(reason)
    } else {
        StoreError::Unknown(reason)
    }
}

/// Whether nothing can have been applied: the request was not sent, or a node said so.
fn is_refusal(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::BadQuery(_)
        | ExecutionError::EmptyPlan
        | ExecutionError::PrepareError(_)
        | ExecutionError::ConnectionPoolError(_) => true,
        ExecutionError::LastAttemptError(attempt) => match attempt {
            RequestAttemptError::SerializationError(_)
            | RequestAttemptError::CqlRequestSerialization(_)
            | RequestAttemptError::UnableToAllocStreamId => true,
            RequestAttemptError::DbError(error, _) => matches!(
                error,
                DbError::SyntaxError
                    | DbError::Invalid
                    | DbError::AlreadyExists { .. }
                    | DbError::Unauthorized
                    | DbError::ConfigError
                    | DbError::Unavailable { .. }
                    | DbError::Overloaded
                    | DbError::IsBootstrapping
                    | DbError::Unprepared { .. }
            ),
            _ => false,
        },
        _ => false,
    }
}

/// Whether the error says that the cluster does not take what it is asked for at the moment, rather than
/// something of this one request.
pub(crate) fn is_cluster_away(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::EmptyPlan
        | ExecutionError::ConnectionPoolError(_)
        | ExecutionError::RequestTimeout(_)
        | ExecutionError::LastAttemptError(RequestAttemptError::BrokenConnectionError(_)) => true,
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => {
            matches!(error, DbError::Unavailable { .. } | DbError::IsBootstrapping)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scylla::errors::WriteType;
    use scylla::statement::Consistency;
    use std::time::Duration;

    fn answered(error: DbError) -> ExecutionError {
        RequestAttemptError::DbError(error, "a node says so".to_owned()).into()
    }

    fn is_refused(error: &ExecutionError, effect: Effect) -> bool {
        matches!(meaning(error, effect), StoreError::Refused(_))
    }

    #[test]
    fn a_write_is_refused_only_where_it_cannot_be_applied() {
        let timeout = DbError::WriteTimeout {
            consistency: Consistency::LocalQuorum,
            received: 0,
            required: 2,
            write_type: WriteType::Cas,
        };
        let unavailable =
            DbError::Unavailable { consistency: Consistency::LocalQuorum, required: 2, alive: 1 };
        for effect in [Effect::Write, Effect::Conditional] {
            assert!(is_refused(&answered(unavailable.clone()), effect));
            assert!(is_refused(&answered(DbError::Overloaded), effect));
            assert!(is_refused(&ExecutionError::EmptyPlan, effect));
            assert!(!is_refused(&answered(timeout.clone()), effect));
            assert!(!is_refused(&answered(DbError::ServerError), effect));
            assert!(!is_refused(&ExecutionError::RequestTimeout(Duration::from_secs(3)), effect));
        }
        assert!(is_refused(&answered(timeout), Effect::None), "a read has changed nothing");
    }
}
