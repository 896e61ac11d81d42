//! Where spans go, and who says so.

use http::HeaderMap;

/// How spans are exported.
#[derive(Clone, Debug)]
pub struct OtlpOptions {
    /// The receiver's base URL, such as `http://127.0.0.1:4318`; `/v1/traces` is put behind it (OTLP/HTTP).
    pub endpoint: String,
    /// What each request carries beside, such as the key to a service; marked as sensitive.
    pub headers: HeaderMap,
    /// Whose spans they are.
    pub service: Service,
}

/// The resource that spans are of, by the names of OpenTelemetry's semantic conventions.
#[derive(Clone, Debug)]
pub struct Service {
    /// `service.name`.
    pub name: String,
    /// `service.instance.id`: the node.
    pub instance: String,
    /// `service.version`.
    pub version: String,
}
