//! Reaching the cluster: sessions and what their requests ask for.

use crate::options::{CqlOptions, OpenError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::NewSessionError;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::policies::timestamp_generator::MonotonicTimestampGenerator;
use scylla::statement::{Consistency, SerialConsistency};
use secrecy::ExposeSecret;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a change of the schema may take: all nodes have to know of it.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause between two tries to reach a cluster that is not there yet.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Returns a session in the keyspace, once the cluster answers.
pub(crate) async fn for_requests(options: &CqlOptions) -> Result<Session, OpenError> {
    let builder = builder(options, options.request_timeout)?
        .use_keyspace(&options.keyspace, false)
        .keyspaces_to_fetch([&options.keyspace])
        .fetch_full_schema_metadata(false);
    reach(options, builder).await
}

/// Returns a session in no keyspace that has time for changes of the schema, once the cluster answers.
pub(crate) async fn for_schema(options: &CqlOptions) -> Result<Session, OpenError> {
    check(options)?;
    reach(options, builder(options, SCHEMA_TIMEOUT)?.fetch_schema_metadata(false)).await
}

/// Returns a session in no keyspace that only looks, once the cluster answers.
pub(crate) async fn for_inspection(options: &CqlOptions) -> Result<Session, OpenError> {
    check(options)?;
    reach(options, builder(options, options.request_timeout)?.fetch_schema_metadata(false)).await
}

fn builder(options: &CqlOptions, timeout: Duration) -> Result<SessionBuilder, OpenError> {
    let mut balancing = DefaultPolicy::builder().token_aware(true);
    if let Some(datacenter) = &options.datacenter {
        balancing = balancing.prefer_datacenter(datacenter.clone());
    }
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .serial_consistency(Some(SerialConsistency::LocalSerial))
        .request_timeout(Some(timeout))
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .load_balancing_policy(balancing.build())
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&options.nodes)
        .connection_timeout(timeout)
        // Two writes of one cell from here have two times, in their order.
        .timestamp_generator(Arc::new(MonotonicTimestampGenerator::new()))
        .default_execution_profile_handle(profile.into_handle());
    if let Some((user, password)) = &options.login {
        builder = builder.user(user, password.expose_secret());
    }
    if let Some(file) = &options.ca {
        builder = builder.tls_context(Some(trusting(file)?));
    }
    Ok(builder)
}

/// Returns a TLS that trusts the certificates of a file, and no others.
fn trusting(file: &Path) -> Result<Arc<ClientConfig>, OpenError> {
    let unusable = |reason: String| OpenError::Ca { file: file.to_owned(), reason };
    let text = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("no certificate in PEM".to_owned()));
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// Builds the session, again and again until the cluster answers or the time is over.
async fn reach(options: &CqlOptions, builder: SessionBuilder) -> Result<Session, OpenError> {
    let until = Instant::now() + options.wait;
    let mut is_told = false;
    loop {
        let error = match builder.build().await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        let is_hopeless =
            matches!(error, NewSessionError::EmptyKnownNodesList | NewSessionError::IllegalConfig(_));
        let nodes = options.nodes.join(", ");
        if is_hopeless || Instant::now() >= until {
            return Err(OpenError::Connect { nodes, source: Box::new(error) });
        }
        if !std::mem::replace(&mut is_told, true) {
            let wait = options.wait.as_secs();
            tracing::warn!(nodes, %error, "the cluster does not answer; waiting for it for at most {wait} s");
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

fn check(options: &CqlOptions) -> Result<(), OpenError> {
    let wrong = |option, reason: &str| Err(OpenError::Option { option, reason: reason.to_owned() });
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let keyspace = &options.keyspace;
    if keyspace.is_empty() || keyspace.len() > 48 || !keyspace.chars().all(is_word) {
        return wrong("keyspace", "it is made of 1 to 48 of a-z, 0-9 and _");
    }
    if !keyspace.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        return wrong("keyspace", "it begins with a letter");
    }
    if options.bucket_size == 0 {
        return wrong("bucket_size", "it is at least 1");
    }
    Ok(())
}
