//! The wiring: which adapters a configuration stands for, and how the parts are joined.

mod bus;
mod storage;
mod trace;

pub(crate) use bus::redis_options;
pub(crate) use storage::cql_options;

use anyhow::{Context, Result};
use rookery_actors::{Authenticator, Node, NodeConfig, NodeParts};
use rookery_api::accounts::KeyError;
use rookery_api::config::{BucketConfig, FilesPlace};
use rookery_api::mail::Mailer;
use rookery_api::{Accounts, AccountsParts, ChooseLines, Config, Edge, EdgeParts, SigningKeys, exporter};
use rookery_blobs_object::{ObjectBlobs, S3Options};
use rookery_engine::blobs::Blobs;
use rookery_engine::bus::{NodeId, Peer};
use rookery_engine::{Clock, Random, SystemClock, SystemRandom, Tasks, uuid_v7};
use secrecy::ExposeSecret;
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

/// Opens the store, reads or makes the signing keys, and starts the node, whose public listener is at
/// `listening`.
pub(crate) async fn start(
    config: Config,
    listening: SocketAddr,
    log: Arc<dyn ChooseLines>,
) -> Result<Arc<Edge>> {
    let data_dir = &config.storage.data_dir;
    make_private(data_dir).with_context(|| format!("make the data dir {}", data_dir.display()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ports = Tasks::new();
    let (metrics, exporter) = exporter();
    let (store, search) = storage::open(&config.storage, &clock, &ports, &metrics.store).await?;
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let keys = signing_keys(&config, random.as_ref())?;
    let me = Peer {
        id: NodeId(uuid_v7(clock.now(), random.as_ref())),
        name: config.server.node.clone(),
        url: config.server.node_url.clone().unwrap_or_default(),
        connections: 0,
        capacity: u64::try_from(config.server.max_connections).unwrap_or(u64::MAX),
        is_draining: false,
    };
    let bus = bus::open(config.cluster.as_ref(), me, &ports)?;
    let accounts = Arc::new(Accounts::new(
        AccountsParts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            keys,
            bus: Arc::clone(&bus),
            metrics: metrics.clone(),
            mailer: Arc::new(Mailer::open(&config.mail)?),
        },
        &config,
    ));
    let blobs = open_blobs(&config.files.place)?;
    let spans = (config.server.node.as_str(), &metrics.process.trace_spans);
    let tracer = trace::open(config.trace.as_ref(), spans, (&clock, &random), &ports)?;
    let node = Node::start(NodeParts {
        name: config.server.node.clone(),
        config: NodeConfig {
            public_url: config.server.link_base(listening),
            is_relaxed: config.limits.relaxed,
            ..NodeConfig::default()
        },
        store,
        search,
        bus,
        clock,
        random,
        authenticator: Arc::clone(&accounts) as Arc<dyn Authenticator>,
        metrics,
        tracer,
        ports,
    })
    .await
    .context("start the node")?;
    Ok(Edge::new(EdgeParts { node, accounts, blobs, config: Arc::new(config), exporter, log }))
}

/// Reads the keys that sign access tokens: those that are given, or those of the data dir, where the first one
/// is made if there is none.
pub(crate) fn signing_keys(config: &Config, random: &dyn Random) -> Result<SigningKeys, KeyError> {
    match &config.auth.signing_key {
        Some(text) => SigningKeys::parse(text.expose_secret()),
        None => SigningKeys::open_or_create(&config.storage.data_dir, random),
    }
}

/// Opens the place of the bytes of files.
pub(crate) fn open_blobs(place: &FilesPlace) -> Result<Arc<dyn Blobs>> {
    let blobs = match place {
        FilesPlace::Folder(dir) => {
            make_private(dir).with_context(|| format!("make the folder of files {}", dir.display()))?;
            ObjectBlobs::on_disk(dir)?
        }
        FilesPlace::Bucket(bucket) => {
            let BucketConfig { bucket, endpoint, region, access_key, secret_key } = bucket.as_ref().clone();
            ObjectBlobs::in_bucket(&S3Options { bucket, endpoint, region, access_key, secret_key })?
        }
    };
    Ok(Arc::new(blobs))
}

/// Makes a folder that only its owner enters; one that is there keeps its mode.
pub(crate) fn make_private(dir: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
