//! What an interrupted put leaves on a disk: a file with the blob's name, `#` and a number.

use std::fs;
use std::io;
use std::path::Path;

/// Between a blob's name and the number of a try to put it, as `object_store` has it.
const MARK: char = '#';

/// Deletes what interrupted puts have left anywhere below `dir`: its folders, one level deep.
pub(crate) fn clear_all(dir: &Path) -> io::Result<()> {
    for shard in fs::read_dir(dir)? {
        let shard = shard?;
        if shard.file_type()?.is_dir() {
            clear(&shard.path(), "")?;
        }
    }
    Ok(())
}

/// Deletes what interrupted puts have left in `dir` of blobs whose names begin with `prefix`. A folder that
/// is not there is clear.
pub(crate) fn clear(dir: &Path, prefix: &str) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(prefix) && name.contains(MARK)) {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => tracing::debug!(?name, "an interrupted put was cleared away"),
            }
        }
    }
    Ok(())
}
