//! What is in the index: two kinds of documents in one schema.
//!
//! A *message* is what it says now. A *mark* says up to where the log of one room was taken in; it is
//! committed with the messages that follow from there. No query finds a mark: it has no text.

use rookery_protocol::{MessageBody, RoomId, Seq, Timestamp, UserId};
use tantivy::columnar::{BytesColumn, Column};
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{DocId, SegmentReader, TantivyDocument, Term};
use uuid::Uuid;

/// The tokenizer that the schema names and that no text goes through: each is one word, or in words already.
const NONE: &str = "raw";

/// A room's number in this index. A room that is taken in anew has another one, and none is used again.
pub(crate) type LogNumber = u64;

/// The fields of the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    /// Of a mark: whose; a mark is replaced by it.
    pub(crate) room: Field,
    pub(crate) log: Field,
    seq: Field,
    /// Of a message: log and position, by which it is found to be replaced.
    pub(crate) key: Field,
    order: Field,
    at: Field,
    pub(crate) author: Field,
    pub(crate) kind: Field,
    pub(crate) text: Field,
    searched: Field,
}

/// A message as the index has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    /// The latest moment of any event up to it.
    pub(crate) order: Timestamp,
    pub(crate) at: Timestamp,
    pub(crate) by: UserId,
    pub(crate) body: MessageBody,
}

/// The last event of a log that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) seq: Seq,
    pub(crate) at: Timestamp,
    pub(crate) by: UserId,
    /// The latest moment of any event up to it.
    pub(crate) order: Timestamp,
    /// When the room was searched last, as of this mark.
    pub(crate) searched: Timestamp,
}

impl Fields {
    /// Returns the schema and its fields.
    pub(crate) fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let number = || NumericOptions::default().set_fast();
        let bytes = || BytesOptions::default().set_indexed();
        let words = |option| {
            let indexing = TextFieldIndexing::default().set_tokenizer(NONE).set_index_option(option);
            TextOptions::default().set_indexing_options(indexing.set_fieldnorms(false))
        };
        let fields = Self {
            room: schema.add_bytes_field("room", bytes()),
            log: schema.add_u64_field("log", number().set_indexed()),
            seq: schema.add_u64_field("seq", number()),
            key: schema.add_bytes_field("key", bytes()),
            order: schema.add_i64_field("order", number()),
            at: schema.add_i64_field("at", number()),
            author: schema.add_bytes_field("author", bytes().set_fast()),
            kind: schema.add_text_field("kind", words(IndexRecordOption::Basic)),
            text: schema.add_text_field("text", words(IndexRecordOption::WithFreqsAndPositions)),
            searched: schema.add_i64_field("searched", number()),
        };
        (schema.build(), fields)
    }

    pub(crate) fn message(&self, log: LogNumber, seq: Seq, said: &Said) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_u64(self.log, log);
        document.add_u64(self.seq, seq.0);
        document.add_bytes(self.key, &key(log, seq));
        document.add_i64(self.order, said.order.0);
        document.add_i64(self.at, said.at.0);
        document.add_bytes(self.author, said.by.0.as_bytes());
        document.add_text(self.kind, said.body.kind.as_str());
        document.add_pre_tokenized_text(self.text, words(&said.body));
        document
    }

    pub(crate) fn mark(&self, room: RoomId, log: LogNumber, taken: &Taken) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_bytes(self.room, room.0.as_bytes());
        document.add_u64(self.log, log);
        document.add_u64(self.seq, taken.seq.0);
        document.add_i64(self.order, taken.order.0);
        document.add_i64(self.at, taken.at.0);
        document.add_bytes(self.author, taken.by.0.as_bytes());
        document.add_i64(self.searched, taken.searched.0);
        document
    }

    /// Returns the term that the message at a position has, and no other document.
    pub(crate) fn key_term(&self, log: LogNumber, seq: Seq) -> Term {
        Term::from_field_bytes(self.key, &key(log, seq))
    }

    /// Returns the term that a room's mark has.
    pub(crate) fn room_term(&self, room: RoomId) -> Term {
        Term::from_field_bytes(self.room, room.0.as_bytes())
    }

    /// Returns the term that everything of a log has, its mark too.
    pub(crate) fn log_term(&self, log: LogNumber) -> Term {
        Term::from_field_u64(self.log, log)
    }
}

fn key(log: LogNumber, seq: Seq) -> [u8; 16] {
    ((u128::from(log) << 64) | u128::from(seq.0)).to_be_bytes()
}

/// Returns the words of a message, as the engine makes them.
fn words(body: &MessageBody) -> PreTokenizedString {
    let text = rookery_engine::search::searchable(body);
    let token =
        |(position, word): (usize, &str)| Token { position, text: word.to_owned(), ..Token::default() };
    let tokens = text.split(' ').filter(|word| !word.is_empty()).enumerate().map(token).collect();
    // The text itself is not stored.
    PreTokenizedString { text: String::new(), tokens }
}

/// The values of the documents of one segment.
pub(crate) struct Columns {
    log: Option<Column<u64>>,
    seq: Option<Column<u64>>,
    order: Option<Column<i64>>,
    at: Option<Column<i64>>,
    searched: Option<Column<i64>>,
    author: Option<BytesColumn>,
}

/// A document's numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) log: LogNumber,
    pub(crate) seq: Seq,
    pub(crate) order: Timestamp,
    pub(crate) at: Timestamp,
}

impl Columns {
    pub(crate) fn of(segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(Self {
            log: columns.column_opt("log")?,
            seq: columns.column_opt("seq")?,
            order: columns.column_opt("order")?,
            at: columns.column_opt("at")?,
            searched: columns.column_opt("searched")?,
            author: columns.bytes("author")?,
        })
    }

    pub(crate) fn row(&self, document: DocId) -> Option<Row> {
        Some(Row {
            log: self.log.as_ref()?.first(document)?,
            seq: Seq(self.seq.as_ref()?.first(document)?),
            order: self.order(document)?,
            at: Timestamp(self.at.as_ref()?.first(document)?),
        })
    }

    pub(crate) fn order(&self, document: DocId) -> Option<Timestamp> {
        self.order.as_ref()?.first(document).map(Timestamp)
    }

    /// Returns when the newest document was written.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.order.as_ref().map(|order| Timestamp(order.max_value()))
    }

    /// Returns whether a document is a mark; any other is a message.
    pub(crate) fn is_mark(&self, document: DocId) -> bool {
        self.searched(document).is_some()
    }

    fn searched(&self, document: DocId) -> Option<Timestamp> {
        self.searched.as_ref()?.first(document).map(Timestamp)
    }

    /// Returns who wrote it; nothing where it is damaged.
    pub(crate) fn author(&self, document: DocId) -> std::io::Result<Option<UserId>> {
        let Some(author) = &self.author else { return Ok(None) };
        let Some(number) = author.term_ords(document).next() else { return Ok(None) };
        let mut bytes = Vec::new();
        author.ord_to_bytes(number, &mut bytes)?;
        Ok(Uuid::from_slice(&bytes).ok().map(UserId))
    }

    /// Returns what a mark says; nothing where it is damaged.
    pub(crate) fn taken(&self, document: DocId) -> std::io::Result<Option<(LogNumber, Taken)>> {
        let (row, by) = (self.row(document), self.author(document)?);
        let taken = || {
            let Row { log, seq, order, at } = row?;
            Some((log, Taken { seq, at, by: by?, order, searched: self.searched(document)? }))
        };
        Ok(taken())
    }
}
