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
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

/// Connections that wait in the kernel until they are accepted, as many as it allows: the lesser of this and
/// `net.core.somaxconn`, which is 4096 by default. When a server comes back, all of its clients come at once.
const WAITING_TO_COME_IN: u32 = 65_535;

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
    let listeners =
        Listeners { public: bind(config.server.listen)?, admin: bind(config.server.admin_listen)? };
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

/// Listens at an address with a queue of [`WAITING_TO_COME_IN`], where the default one is of 128: whoever finds it full
/// hears nothing, and tries again after 1, 3 and 7 seconds.
fn bind(address: SocketAddr) -> Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(WAITING_TO_COME_IN)
    };
    listen().with_context(|| format!("listen on {address}"))
}
