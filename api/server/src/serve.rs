//! `rookery serve`.

use crate::cli::ServeArgs;
use crate::reload::{self, Reload};
use crate::signals::{Signals, Told};
use crate::systemd::Systemd;
use crate::{descriptors, logs, settings, wiring};
use anyhow::{Context, Result};
use rookery_api::{ChooseLines, Config, Listeners};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Serves until a signal, then drains.
pub(crate) fn run(args: &ServeArgs) -> Result<()> {
    let (mut config, settings) = settings::load(args)?;
    let log = logs::install(&config.log)?;
    tracing::info!(limit = descriptors::raise(), "file descriptors");
    reload::fit(&mut config)?;
    if config.limits.relaxed {
        tracing::warn!(
            "limits.relaxed is on: passwords can be guessed without limit; for tests and benches only"
        );
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(serve(config, log, Reload::new(args.clone(), settings)))
}

async fn serve(config: Config, log: Arc<dyn ChooseLines>, mut reload: Reload) -> Result<()> {
    let mut signals = Signals::listen()?;
    let systemd = Systemd::start()?;
    let listeners = Listeners {
        public: bind(config.server.listen).await?,
        admin: bind(config.server.admin_listen).await?,
    };
    let (http, admin) = (listeners.public.local_addr()?, listeners.admin.local_addr()?);
    let edge = Box::pin(wiring::start(config, http, log)).await?;
    // The one line that others wait for; the listeners take connections from here on.
    eprintln!("listening http={http} admin={admin}");

    systemd.ready("serving");

    let (stop, stopped) = oneshot::channel();
    let signalled = async {
        while signals.next().await == Told::Reload {
            reload.run(&edge, &systemd);
        }
        // The server that listened may be gone already.
        let _ = stop.send(());
        signals.exit_at_next().await
    };
    tokio::select! {
        served = rookery_api::serve(listeners, Arc::clone(&edge), async { drop(stopped.await) }) => served.context("serve"),
        never = signalled => never,
        never = systemd.attend(&edge) => never,
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))
}
