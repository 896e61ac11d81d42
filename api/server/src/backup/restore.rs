//! `rookery restore`: what a backup holds, into an empty store.

use super::place::{self, Looked};
use super::progress::Progress;
use crate::cli::RestoreArgs;
use crate::output::{harmless, line};
use crate::{settings, wiring};
use anyhow::{Context, Result, bail};
use rookery_api::Config;
use rookery_backup::{Begin, End, Header, Target, check, restore, verify};
use rookery_engine::store::is_empty;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 20;

/// Restores, or only looks.
pub(crate) fn run(args: &RestoreArgs) -> Result<()> {
    let (config, _) = settings::load(&args.serve)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if args.verify {
            compare(args, &config).await
        } else if args.dry_run {
            rehearse(args, &config).await
        } else {
            fill(args, &config).await
        }
    })
}

/// Compares the store with the backup; a server must not be writing.
async fn compare(args: &RestoreArgs, config: &Config) -> Result<()> {
    let (header, end) = check(open(&args.file)?).await?;
    let store = place::look(config).await?.context("find a store to compare it with")?.store;
    let has_bytes = header.has_bytes && !args.no_files;
    let blobs = if has_bytes { Some(place::bytes(config)?) } else { None };
    verify(&*store, blobs.as_deref(), &end).await?;
    line(format_args!("restore: the store is what the backup holds: {}", end.tally))
}

/// Reads the backup and looks at the store, and writes nothing.
async fn rehearse(args: &RestoreArgs, config: &Config) -> Result<()> {
    let (header, end) = check(open(&args.file)?).await?;
    if let Some(Looked { store, importing }) = place::look(config).await? {
        match importing {
            Some(progress) if progress.backup != header.backup => {
                bail!("restore into this store: it is half filled from another backup")
            }
            Some(progress) if args.resume => {
                line(format_args!("restore: {} records and files are there already", progress.done))?;
            }
            Some(_) => bail!("restore into this store: a restore has not come to its end here"),
            None if !is_empty(&*store).await? => bail!("restore into this store: it is not empty"),
            None => {}
        }
    }
    told(&header, &end, "would restore")
}

async fn fill(args: &RestoreArgs, config: &Config) -> Result<()> {
    // What can be read twice is looked at before anything is written.
    if args.file != Path::new("-") {
        check(open(&args.file)?).await?;
    }
    let store = place::target(config).await?;
    let blobs = if args.no_files { None } else { Some(wiring::open_blobs(&config.files.place)?) };
    let target = Target { store: &*store, read: &*store, blobs: blobs.as_deref() };
    let begin = if args.resume { Begin::Resume } else { Begin::Anew };
    let mut progress = Progress::begin();
    let restored = restore(open(&args.file)?, target, begin, |tally| progress.tell(tally)).await;
    drop(progress);
    store.close().await?;
    let restored = restored?;
    if restored.before > 0 {
        line(format_args!("restore: {} records and files were there already", restored.before))?;
    }
    told(&restored.header, &restored.end, "restored and compared")
}

fn told(header: &Header, end: &End, what: &str) -> Result<()> {
    let (program, store) = (harmless(&header.program), harmless(&header.store));
    line(format_args!("restore: {what}: {} (by {program} from {store})", end.tally))?;
    if !header.has_bytes {
        eprintln!("restore: the bytes of files are not in this backup");
    } else if end.missing > 0 {
        eprintln!("restore: the bytes of {} files were not there when it was made", end.missing);
    }
    Ok(())
}

fn open(file: &Path) -> Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).with_context(|| format!("open {}", file.display()))?;
    Ok(Box::new(BufReader::with_capacity(BUFFER, opened)))
}
