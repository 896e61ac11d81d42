//! `[trace]`: which messages are traced, and who is told.

use super::error::Problems;
use super::layer::hidden;
use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Which messages are traced, and who is told.
#[derive(Clone, Debug)]
pub struct TraceConfig {
    /// The base URL of a receiver of OTLP over HTTP.
    pub endpoint: String,
    /// What each request there carries beside; marked as sensitive.
    pub headers: HeaderMap,
    /// How many of all messages are traced, from 0 to 1.
    pub ratio: f64,
}

/// Which messages are traced, and who is told.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTrace {
    /// The base URL of whatever takes traces as OTLP over HTTP (protobuf), such as `http://127.0.0.1:4318`; empty: nothing is traced.
    otlp_endpoint: String,
    /// How many of all messages are traced: from 0, none but those that a trusted proxy asks for, to 1, all.
    #[schemars(range(min = 0.0, max = 1.0))]
    sample_ratio: f64,
    /// Headers of each request there, such as the key to a service: `name=value`, with commas between.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    headers: Option<SecretString>,
}

impl Default for RawTrace {
    fn default() -> Self {
        Self { otlp_endpoint: String::new(), sample_ratio: 0.01, headers: None }
    }
}

impl RawTrace {
    /// Returns `None` where nothing is traced.
    pub(super) fn check(&self, problems: &mut Problems<'_>) -> Option<TraceConfig> {
        let endpoint = self.otlp_endpoint.trim_end_matches('/');
        if !endpoint.is_empty() && !is_http(endpoint) {
            let allowed = "http://host:port or https://host, without a path of its own for traces";
            problems.value("trace.otlp_endpoint", &self.otlp_endpoint, allowed);
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            problems.value("trace.sample_ratio", self.sample_ratio, "a number from 0 to 1");
        }
        let headers = match &self.headers {
            None => HeaderMap::new(),
            Some(text) => parse(text.expose_secret()).unwrap_or_else(|| {
                problems.value("trace.headers", "(a secret)", "name=value, with commas between");
                HeaderMap::new()
            }),
        };
        let is_on = !endpoint.is_empty();
        is_on.then(|| TraceConfig { endpoint: endpoint.to_owned(), headers, ratio: self.sample_ratio })
    }
}

fn is_http(endpoint: &str) -> bool {
    let uri = endpoint.parse::<http::Uri>().ok();
    let is_known = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    uri.is_some_and(|uri| is_known(&uri) && uri.query().is_none()) && !endpoint.ends_with("/v1/traces")
}

fn parse(text: &str) -> Option<HeaderMap> {
    let header = |pair: &str| {
        let (name, value) = pair.trim().split_once('=')?;
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    };
    text.split(',').map(header).collect()
}
