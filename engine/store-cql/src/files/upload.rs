//! The beginning and the end of an upload.

use super::row::OWN;
use crate::CqlStore;
use crate::columns::{count, integer};
use crate::cql::bound;
use crate::turns::{Tries, next_version};
use rookery_engine::store::{Begun, Completed, FileContent, FileRecord, StoreError, Upload};
use rookery_protocol::{FileId, Timestamp};
use scylla::value::MaybeUnset;

impl CqlStore {
    pub(super) async fn begin_file(
        &self,
        upload: &Upload,
        quota: u64,
        tries: &mut Tries,
    ) -> Result<Begun, StoreError> {
        let (file, owner) = (upload.file, upload.owner);
        if self.any_file(file).await?.is_some() {
            return Ok(Begun::Begun);
        }
        let charge = FileRecord { upload: upload.clone(), content: None }.charge();
        let _turn = self.turns.at(&owner).await;
        loop {
            let ledger = self.ledger_of_files(owner).await?;
            if self.file_of(owner, file).await?.is_some() {
                return Ok(Begun::Begun);
            }
            let total = count(ledger.total).saturating_add(charge);
            if total > quota {
                return Ok(Begun::OverQuota(count(ledger.total)));
            }
            // Whoever finds these without the file lets go of them.
            self.cql.write(&self.files.put_owner, (file.0, owner.0)).await?;
            self.note_garbage(upload.expires_at.0, file, next_version(ledger.version)).await?;
            let values = (
                owner.0,
                file.0,
                OWN.0,
                OWN.1,
                &upload.name,
                MaybeUnset::from_option(upload.hint.as_ref()),
                integer(upload.size),
                upload.expires_at.0,
                integer(charge),
                0_i32,
                upload.expires_at.0,
            );
            let write = bound(&self.files.put_file, values);
            if tries.is_applied(self.advance_files(ledger, integer(total), &[write]).await).await? {
                return Ok(Begun::Begun);
            }
        }
    }

    pub(super) async fn complete_file(
        &self,
        file: FileId,
        content: FileContent,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<Completed, StoreError> {
        let Some(owner) = self.owner_of(file).await? else { return Ok(Completed::Gone) };
        let _turn = self.turns.at(&owner).await;
        loop {
            let ledger = self.ledger_of_files(owner).await?;
            let row = self.file_of(owner, file).await?.filter(|row| row.lives(now));
            let Some(row) = row else { return Ok(Completed::Gone) };
            if let Some(earlier) = &row.record.content {
                let is_same = earlier.hash == content.hash;
                return Ok(if is_same {
                    Completed::Complete(Box::new(row.record))
                } else {
                    Completed::Differs
                });
            }
            let record = FileRecord { content: Some(content.clone()), ..row.record };
            let charge = integer(record.charge());
            let total = ledger.total.saturating_add(charge).saturating_sub(row.charge);
            let thumb = content.thumb.as_ref();
            let values = (
                charge,
                &content.mime,
                integer(content.size),
                content.hash,
                MaybeUnset::from_option(content.width.map(i64::from)),
                MaybeUnset::from_option(content.height.map(i64::from)),
                MaybeUnset::from_option(thumb.map(|thumb| &thumb.mime)),
                MaybeUnset::from_option(thumb.map(|thumb| integer(thumb.size))),
                owner.0,
                file.0,
                OWN.0,
                OWN.1,
            );
            let write = bound(&self.files.put_content, values);
            if tries.is_applied(self.advance_files(ledger, total, &[write]).await).await? {
                return Ok(Completed::Complete(Box::new(record)));
            }
        }
    }
}
