//! TLS on the public listener, for those who put no proxy in front, with certificates that are followed.
//!
//! What is inside is served by what serves everybody: a task in between takes the bytes out of TLS and hands them on
//! by a pair of sockets. That is two descriptors and a copy more for each connection, and leaves the way of a
//! message without a word of TLS; a proxy in front costs the same.

use crate::config::TlsFiles;
use rookery_engine::Tasks;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Pair;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at: a new certificate is there days before the old one ends.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How long a peer may take to end its side, once ours has ended.
const LINGER: Duration = Duration::from_secs(5);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("read {file}: {cause}")]
    File {
        /// Which.
        file: String,
        /// Why.
        cause: pem::Error,
    },
    /// They do not belong together, or cannot be used.
    #[error("use the certificate with its key: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The certificate that newcomers are shown.
pub(super) struct Tls {
    current: Mutex<(Arc<ServerConfig>, Loaded)>,
}

/// What the files held.
type Loaded = (Vec<CertificateDer<'static>>, Vec<u8>);

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(super) fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { current: Mutex::new(load(files)?) })
    }

    /// Looks whether the files are others now, and shows newcomers what is in them. Where they cannot be used, it
    /// goes on with what it has, and says so.
    pub(super) fn look(&self, files: &TlsFiles) {
        let loaded = load(files);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match loaded {
            Ok((_, loaded)) if loaded == current.1 => {}
            Ok(loaded) => {
                tracing::info!("newcomers are shown another certificate");
                *current = loaded;
            }
            Err(error) => tracing::error!(%error, "the certificate stays what it was"),
        }
    }

    /// Shakes hands within a time, and returns what is to be served in place of `tcp`.
    pub(super) async fn inside(
        &self,
        tcp: TcpStream,
        within: Duration,
        tasks: &Tasks,
    ) -> io::Result<TcpStream> {
        let config = Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner).0);
        let outer = timeout(within, TlsAcceptor::from(config).accept(tcp)).await??;
        let (ours, theirs) = Pair::pair()?;
        for end in [&ours, &theirs] {
            end.set_nonblocking(true)?;
        }
        let inner = UnixStream::from_std(ours)?;
        tasks.spawn(hand_on(outer, inner));
        TcpStream::from_std(OwnedFd::from(theirs).into())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

fn load(files: &TlsFiles) -> Result<(Arc<ServerConfig>, Loaded), TlsError> {
    let broken = |path: &Path| {
        let file = path.display().to_string();
        move |cause| TlsError::File { file, cause }
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(broken(&files.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(broken(&files.key))?;
    let loaded = (chain.clone(), fingerprint(key.secret_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), loaded))
}

/// What a key is compared by, so that it is kept by nobody but rustls.
fn fingerprint(key: &[u8]) -> Vec<u8> {
    ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, key).as_ref().to_vec()
}

/// Hands bytes on in both directions until both have ended; some time after ours has, whatever the peer does.
async fn hand_on(outer: tokio_rustls::server::TlsStream<TcpStream>, inner: UnixStream) {
    let (mut from_peer, mut to_peer) = tokio::io::split(outer);
    let (mut from_us, mut to_us) = inner.into_split();
    let (said, ended) = oneshot::channel();
    let inwards = async {
        let _ = copy(&mut from_peer, &mut to_us).await;
        let _ = to_us.shutdown().await;
    };
    let outwards = async {
        let _ = copy(&mut from_us, &mut to_peer).await;
        let _ = to_peer.shutdown().await;
        let _ = said.send(());
    };
    let lingered = async {
        let _ = ended.await;
        sleep(LINGER).await;
    };
    tokio::select! {
        _ = async { tokio::join!(inwards, outwards) } => {}
        () = lingered => {}
    }
}
