//! `rookery keys`: list, rotate, prune. Servers that run read the file again when they get SIGHUP.

use crate::cli::{KeysAction, KeysArgs};
use crate::output::line;
use crate::{settings, wiring};
use anyhow::{Context, Result, bail};
use rookery_api::SigningKey;
use rookery_api::accounts::{KeyError, KeyPhase, SigningKeys, signing_key_path};
use rookery_engine::{Clock, SystemClock, SystemRandom};
use std::io::ErrorKind;
use std::path::PathBuf;

/// Runs one of the three.
pub(crate) fn run(action: &KeysAction) -> Result<()> {
    let now = SystemClock::new().now();
    match action {
        KeysAction::List(args) => {
            for key in SigningKeys::open(&place(args)?)?.standings(now) {
                let phase = match key.phase {
                    KeyPhase::Next => "signs later",
                    KeyPhase::Signs => "signs",
                    KeyPhase::Verifies => "verifies",
                    KeyPhase::Retired => "retired",
                };
                line(format_args!("{} from {}: {phase}", key.id, key.signs_from))?;
            }
            Ok(())
        }
        KeysAction::Rotate { time, now: at_once, args } => {
            let path = place(args)?;
            let wait = if *at_once { 0 } else { i64::try_from(*time).unwrap_or(i64::MAX / 2000) * 1000 };
            let key = SigningKey::generate(&SystemRandom, now.plus_millis(wait));
            let keys = match SigningKeys::open(&path) {
                Ok(mut keys) => {
                    keys.add(key).map(|()| keys).context("add a key; `rookery keys prune` drops old ones")
                }
                Err(KeyError::Io(_, error)) if error.kind() == ErrorKind::NotFound => {
                    Ok(SigningKeys::one(key))
                }
                Err(error) => Err(error.into()),
            }?;
            keys.save(&path)?;
            // The one that was added is the last, unless others are still to come.
            let added = keys.standings(now.plus_millis(wait));
            let added = added
                .iter()
                .find(|key| key.phase == KeyPhase::Signs)
                .context("find the key that was added")?;
            line(format_args!(
                "{} signs from {}: send SIGHUP to every server before",
                added.id, added.signs_from
            ))
        }
        KeysAction::Prune(args) => {
            let path = place(args)?;
            let mut keys = SigningKeys::open(&path)?;
            let dropped = keys.prune(now);
            if dropped > 0 {
                keys.save(&path)?;
            }
            line(format_args!("{dropped} keys dropped from {}", path.display()))
        }
    }
}

/// Finds the file of the keys.
fn place(args: &KeysArgs) -> Result<PathBuf> {
    if let Some(file) = &args.file {
        return Ok(file.clone());
    }
    let (config, _) = settings::load(&args.serve)?;
    if config.auth.signing_key.is_some() {
        bail!("find the file of the keys: auth.signing_key gives them, so name its file with --file");
    }
    wiring::make_private(&config.storage.data_dir)?;
    Ok(signing_key_path(&config.storage.data_dir))
}
