//! References to a file: for each holder, whether it has the file as of which position.

use super::row::{DOOMED, HELD, Holder, OWN, UNREFERENCED};
use crate::CqlStore;
use crate::columns::stamp;
use crate::cql::bound;
use crate::turns::{Tries, next_version};
use rookery_engine::store::StoreError;
use rookery_protocol::{FileId, Seq};

impl CqlStore {
    /// Notes whether `holder` has `file` as of `rev`; an older `rev` never replaces a newer. Returns whether
    /// there is such a file whose life has not been taken.
    pub(super) async fn set_link(
        &self,
        file: FileId,
        holder: Holder,
        rev: Seq,
        is_held: bool,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        let Some(owner) = self.owner_of(file).await? else { return Ok(false) };
        let _turn = self.turns.at(&owner).await;
        loop {
            let ledger = self.ledger_of_files(owner).await?;
            let row = self.file_of(owner, file).await?;
            let Some(row) = row.filter(|row| row.garbage_at != DOOMED) else { return Ok(false) };
            let key = (owner.0, file.0, holder.0, holder.1);
            let link = self.cql.row::<(Option<i64>, Option<bool>)>(&self.files.link, key).await?;
            let (known, was_held) = link.map_or((i64::MIN, false), |(known, was_held)| {
                (known.unwrap_or(i64::MIN), was_held.unwrap_or(false))
            });
            let rev = stamp(rev);
            if rev < known || (rev == known && is_held == was_held) {
                return Ok(true);
            }
            let links = row.links.saturating_add(i32::from(is_held)).saturating_sub(i32::from(was_held));
            let garbage_at = match (links, was_held) {
                (1.., _) => HELD,
                (_, true) => UNREFERENCED,
                // What never was held here is as it was.
                (_, false) => row.garbage_at,
            };
            if garbage_at == UNREFERENCED {
                self.note_garbage(UNREFERENCED, file, next_version(ledger.version)).await?;
            }
            let (owner, file) = (owner.0, file.0);
            let writes = [
                bound(&self.files.put_life, (links, garbage_at, owner, file, OWN.0, OWN.1)),
                bound(&self.files.put_link, (owner, file, holder.0, holder.1, rev, is_held)),
            ];
            if tries.is_applied(self.advance_files(ledger, ledger.total, &writes).await).await? {
                return Ok(true);
            }
        }
    }
}
