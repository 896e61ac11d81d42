//! The open index as the thread that writes it has it: batches in, marks and messages out.

use crate::changes::Change;
use crate::fields::{Columns, Fields, LogNumber, Said, Taken};
use rookery_protocol::{MessageBody, RoomId, Seq};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tantivy::directory::MmapDirectory;
use tantivy::index::SegmentComponent;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::IndexRecordOption;
use tantivy::{
    DocSet, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, SegmentMeta, SegmentReader, TERMINATED,
    TantivyError,
};

/// What every commit carries; an index with another one is made anew. It is raised with every change of
/// the schema or of what the engine takes for a word.
const VERSION: &str = "rookery 1";

/// Documents of a segment above which it is merged no further: what one merge writes is some seconds of
/// work and some hundred megabytes, which is what is on the disk twice meanwhile.
const MERGED_DOCUMENTS: usize = 250_000;

/// An index that is open for writing.
pub(crate) struct OpenIndex {
    writer: IndexWriter,
    reader: IndexReader,
    pub(crate) fields: Fields,
}

/// How far the log of a room is in the index.
pub(crate) type Mark = (RoomId, LogNumber, Taken);

impl OpenIndex {
    /// Makes an empty index.
    pub(crate) fn create(directory: MmapDirectory, memory: usize) -> tantivy::Result<Self> {
        let (schema, fields) = Fields::schema();
        let index = Index::create(directory, schema, tantivy::IndexSettings::default())?;
        let mut opened = Self::of(&index, fields, memory)?;
        opened.commit()?;
        Ok(opened)
    }

    /// Opens an index that is there; every byte of it is checked.
    pub(crate) fn open(directory: MmapDirectory, memory: usize) -> tantivy::Result<Self> {
        let foreign = |what: &str| TantivyError::InvalidArgument(what.to_owned());
        let index = Index::open(directory)?;
        let (schema, fields) = Fields::schema();
        if index.schema() != schema || index.load_metas()?.payload.as_deref() != Some(VERSION) {
            return Err(foreign("it is of another version"));
        }
        let managed = index.directory().list_managed_files();
        for file in index.searchable_segment_metas()?.iter().flat_map(files) {
            // One that is not known there would never be removed.
            if !managed.contains(&file) || !index.directory().validate_checksum(&file)? {
                return Err(foreign(&format!("{} is damaged", file.display())));
            }
        }
        Self::of(&index, fields, memory)
    }

    fn of(index: &Index, fields: Fields, memory: usize) -> tantivy::Result<Self> {
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(memory)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let writer = index.writer_with_options(options)?;
        // Segments are merged when there are eight of a size, not for what is gone of them: each commit
        // replaces marks, which say nothing, and messages have a purge of their own.
        let mut policy = LogMergePolicy::default();
        policy.set_max_docs_before_merge(MERGED_DOCUMENTS);
        writer.set_merge_policy(Box::new(policy));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { writer, reader, fields })
    }

    /// Returns the state as of the last commit.
    pub(crate) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// Returns the mark of each room.
    pub(crate) fn marks(&self) -> tantivy::Result<Vec<Mark>> {
        let damaged = || TantivyError::InternalError("a mark is damaged".to_owned());
        let mut marks = Vec::new();
        for segment in self.searcher().segment_readers() {
            let (columns, rooms) = (Columns::of(segment)?, segment.inverted_index(self.fields.room)?);
            let mut terms = rooms.terms().stream()?;
            while terms.advance() {
                let room = uuid::Uuid::from_slice(terms.key()).map_err(|_| damaged())?;
                let mut found = rooms.read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
                while found.doc() != TERMINATED {
                    if !segment.is_deleted(found.doc()) {
                        let (log, taken) = columns.taken(found.doc())?.ok_or_else(damaged)?;
                        marks.push((RoomId(room), log, taken));
                    }
                    found.advance();
                }
            }
        }
        Ok(marks)
    }

    /// Returns the message at a position as of the last commit, but for its body, which is not kept.
    pub(crate) fn message(
        &self,
        searcher: &Searcher,
        log: LogNumber,
        seq: Seq,
    ) -> tantivy::Result<Option<Said>> {
        let term = self.fields.key_term(log, seq);
        for segment in searcher.segment_readers() {
            let keys = segment.inverted_index(self.fields.key)?;
            let Some(mut found) = keys.read_postings(&term, IndexRecordOption::Basic)? else { continue };
            while found.doc() != TERMINATED {
                if !segment.is_deleted(found.doc()) {
                    let columns = Columns::of(segment)?;
                    let (row, by) = (columns.row(found.doc()), columns.author(found.doc())?);
                    let body = MessageBody::text("");
                    let said = row.zip(by).map(|(row, by)| Said { order: row.order, at: row.at, by, body });
                    let damaged = || TantivyError::InternalError("a message is damaged".to_owned());
                    return said.map(Some).ok_or_else(damaged);
                }
                found.advance();
            }
        }
        Ok(None)
    }

    /// Writes what one room's events come to, to be committed.
    pub(crate) fn write(
        &mut self,
        (room, log, taken): &Mark,
        changes: &BTreeMap<Seq, Change>,
    ) -> tantivy::Result<()> {
        for (seq, change) in changes {
            if change.is_there {
                self.writer.delete_term(self.fields.key_term(*log, *seq));
            }
            if let Some(said) = &change.said {
                self.writer.add_document(self.fields.message(*log, *seq, said))?;
            }
        }
        self.writer.delete_term(self.fields.room_term(*room));
        self.writer.add_document(self.fields.mark(*room, *log, taken))?;
        Ok(())
    }

    /// Takes everything of a log out, its mark too, to be committed.
    pub(crate) fn take_out(&mut self, log: LogNumber) {
        self.writer.delete_term(self.fields.log_term(log));
    }

    /// Makes what was written durable and searchable, as one.
    pub(crate) fn commit(&mut self) -> tantivy::Result<()> {
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(VERSION);
        commit.commit()?;
        self.reader.reload()
    }

    /// Begins to write those segments anew that hold words of messages that are gone. Returns whether
    /// there are any.
    pub(crate) fn purge(&mut self) -> tantivy::Result<bool> {
        let mut stained = Vec::new();
        for segment in self.searcher().segment_readers() {
            if has_gone_message(segment)? {
                stained.push(segment.segment_id());
            }
        }
        for segment in &stained {
            // It goes on by itself; one that is merged already is looked at again.
            drop(self.writer.merge(&[*segment]));
        }
        Ok(!stained.is_empty())
    }

    /// Reads the segments as they were merged since the last commit.
    pub(crate) fn renew(&mut self) -> tantivy::Result<()> {
        self.reader.reload()
    }

    /// Removes the files of segments that were merged, but for those that somebody still reads.
    pub(crate) fn collect(&mut self) -> tantivy::Result<()> {
        self.writer.garbage_collect_files().wait().map(drop)
    }

    /// Ends the merges that are under way, and with them every thread.
    pub(crate) fn close(self) -> tantivy::Result<()> {
        let Self { writer, reader, .. } = self;
        // What it reads is not removed.
        drop(reader);
        writer.garbage_collect_files().wait()?;
        writer.wait_merging_threads()
    }
}

/// Returns the files of a segment, none of which may be absent. The library's own check leaves out those
/// that are.
fn files(segment: &SegmentMeta) -> Vec<PathBuf> {
    let parts = [
        SegmentComponent::Postings,
        SegmentComponent::Positions,
        SegmentComponent::Terms,
        SegmentComponent::Store,
        SegmentComponent::FastFields,
        SegmentComponent::FieldNorms,
    ];
    let deletes = segment.has_deletes().then_some(SegmentComponent::Delete);
    parts.into_iter().chain(deletes).map(|part| segment.relative_path(part)).collect()
}

/// Returns whether a segment holds words that nobody may find. Marks that are gone say nothing.
fn has_gone_message(segment: &SegmentReader) -> tantivy::Result<bool> {
    if !segment.has_deletes() {
        return Ok(false);
    }
    let columns = Columns::of(segment)?;
    let mut gone = (0..segment.max_doc()).filter(|document| segment.is_deleted(*document));
    Ok(gone.any(|document| !columns.is_mark(document)))
}
