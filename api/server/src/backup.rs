//! `rookery backup`: all that a store and its files are, into one file.

mod place;
mod progress;
mod restore;

pub(crate) use restore::run as restore;

use crate::cli::BackupArgs;
use crate::output::line;
use crate::settings;
use anyhow::{Context, Result, bail};
use progress::Progress;
use rookery_backup::{End, Header, Source, write};
use rookery_engine::{Clock, SystemClock, SystemRandom, uuid_v7};
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

/// Backs the store up while a server may be running.
pub(crate) fn run(args: &BackupArgs) -> Result<()> {
    let (config, _) = settings::load(&args.serve)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Box::pin(place::source(&config)).await?;
        let blobs = if args.no_files { None } else { Some(place::bytes(&config)?) };
        let kind = place::kind(&config);
        let source = Source { store: &*store, blobs: blobs.as_deref() };
        if args.dry_run {
            let (end, bytes) = into(io::sink(), source, kind).await?;
            return told(&end, &format!("would be {bytes} bytes"));
        }
        if args.file == Path::new("-") {
            if io::stdout().is_terminal() {
                bail!("write the backup: a terminal is no place for it; name a file, or send it somewhere");
            }
            let (end, bytes) =
                into(BufWriter::with_capacity(BUFFER, io::stdout().lock()), source, kind).await?;
            eprintln!("backup: {} in {bytes} bytes", end.tally);
            return missing(&end);
        }
        let partial = Partial::create(&args.file)?;
        let mut out = BufWriter::with_capacity(BUFFER, &partial.file);
        let (end, bytes) = into(&mut out, source, kind).await?;
        drop(out);
        partial.publish(&args.file).with_context(|| format!("write {}", args.file.display()))?;
        told(&end, &format!("{bytes} bytes in {}", args.file.display()))
    })
}

async fn into(out: impl Write, source: Source<'_>, kind: &str) -> Result<(End, u64)> {
    let at = SystemClock::new().now();
    let header = Header {
        backup: uuid_v7(at, &SystemRandom),
        program: concat!("rookery ", env!("CARGO_PKG_VERSION")).to_owned(),
        store: kind.to_owned(),
        at,
        has_bytes: source.blobs.is_some(),
    };
    let mut progress = Progress::begin();
    Ok(write(source, header, out, |tally| progress.tell(tally)).await?)
}

fn told(end: &End, what: &str) -> Result<()> {
    line(format_args!("backup: {}; {what}", end.tally))?;
    missing(end)
}

/// Says so where the bytes of files were not there.
#[expect(clippy::unnecessary_wraps, reason = "the last thing that a run does")]
fn missing(end: &End) -> Result<()> {
    if end.missing > 0 {
        eprintln!(
            "backup: the bytes of {} files were not there: deleted while this ran, or lost",
            end.missing
        );
    }
    Ok(())
}

/// A file that only its owner reads and that has its name once it is whole.
struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    fn create(whole: &Path) -> Result<Self> {
        if whole.symlink_metadata().is_ok() {
            bail!("write {}: it is there already", whole.display());
        }
        let mut name = whole.file_name().context("write the backup: it has no file name")?.to_owned();
        name.push(".partial");
        let path = whole.with_file_name(name);
        let made =
            remove(&path).and_then(|()| File::options().write(true).create_new(true).mode(0o600).open(&path));
        let file = made.with_context(|| format!("write {}", path.display()))?;
        Ok(Self { path, file })
    }

    fn publish(self, whole: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, whole)?;
        let folder = whole.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Once it is whole there is none of this name.
        drop(remove(&self.path));
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
