//! `Idempotency-Key`: the `client_id` of an op that comes over HTTP. The same key again gives the
//! same answer, whatever became of the first one on its way.

use crate::call::Call;
use crate::problem::Problem;
use http::HeaderMap;
use rookery_engine::uuid_v7;
use rookery_protocol::ClientId;

/// The header, as refusals name it.
const KEY: &str = "Idempotency-Key";

/// Returns the call's key.
///
/// # Errors
/// `invalid` when there is none, or it is no UUID.
pub(crate) fn required(call: &Call) -> Result<ClientId, Problem> {
    given(call.headers())?.ok_or_else(|| Problem::field(KEY, "this header is needed: a UUID of your own"))
}

/// Returns the call's key, or a fresh one: for what has the same effect when it is done twice.
///
/// # Errors
/// `invalid` when there is one that is no UUID.
pub(crate) fn or_fresh(call: &Call) -> Result<ClientId, Problem> {
    let node = &call.edge.node;
    let fresh = || ClientId(uuid_v7(node.clock().now(), node.random().as_ref()));
    Ok(given(call.headers())?.unwrap_or_else(fresh))
}

/// Reads the key, quoted as the draft has it (draft-ietf-httpapi-idempotency-key-header-07) or plain.
///
/// # Errors
/// `invalid` when there is one that is no UUID.
pub(crate) fn given(headers: &HeaderMap) -> Result<Option<ClientId>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
    key.map(Some).ok_or_else(|| Problem::field(KEY, "the key is a UUID"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(value: &'static str) -> Result<Option<String>, ()> {
        let headers = [("idempotency-key".parse().unwrap(), HeaderValue::from_static(value))];
        given(&headers.into_iter().collect())
            .map(|key| key.map(|key: ClientId| key.to_string()))
            .map_err(drop)
    }

    #[test]
    fn a_key_is_a_uuid_with_or_without_quotes() {
        let key = "00000000-0000-7000-8000-000000000001";
        assert_eq!(read(key), Ok(Some(key.to_owned())));
        assert_eq!(read("\"00000000-0000-7000-8000-000000000001\""), Ok(Some(key.to_owned())));
        assert_eq!(read("once"), Err(()));
        assert_eq!(read(""), Err(()));
        assert_eq!(given(&HeaderMap::new()).ok(), Some(None));
    }
}
