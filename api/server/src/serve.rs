//! `rookery serve`.

use crate::cli::ServeArgs;
use crate::signals::Signals;
use crate::{descriptors, logs, settings, wiring};
use anyhow::{Context, Result};
use rookery_api::{Config, Listeners};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Serves until a signal, then drains.
pub(crate) fn run(args: &ServeArgs) -> Result<()> {
    let (config, _) = settings::load(args)?;
    logs::install(&config.log)?;
    match descriptors::raise() {
        Some(limit) if limit < descriptors::FEW => {
            tracing::warn!(limit, "few file descriptors: each connection takes one (ulimit -n)");
        }
        limit => tracing::info!(limit, "file descriptors"),
    }
    if config.limits.relaxed {
        tracing::warn!(
            "limits.relaxed is on: passwords can be guessed without limit; for tests and benches only"
        );
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<()> {
    let mut signals = Signals::listen()?;
    let listeners = Listeners {
        public: bind(config.server.listen).await?,
        admin: bind(config.server.admin_listen).await?,
    };
    let (http, admin) = (listeners.public.local_addr()?, listeners.admin.local_addr()?);
    let edge = wiring::start(config, http).await?;
    // The one line that others wait for; the listeners take connections from here on.
    eprintln!("listening http={http} admin={admin}");

    let (stop, stopped) = oneshot::channel();
    let signalled = async {
        signals.next().await;
        // The server that listened may be gone already.
        let _ = stop.send(());
        signals.exit_at_next().await
    };
    tokio::select! {
        served = rookery_api::serve(listeners, edge, async { drop(stopped.await) }) => served.context("serve"),
        never = signalled => never,
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))
}
