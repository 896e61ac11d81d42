//! What administration keeps: entries of books, by the month of the moment in their ids. Every write of an entry
//! has a condition, so of two writers of a revision one writes.

use crate::CqlStore;
use crate::columns::{corrupt, count, id, integer, ordered};
use crate::cql::{Conditional, Cql, Read, Write};
use crate::turns::Tries;
use rookery_engine::store::{Answer, Book, Docket, Entry, StoreError};
use scylla::errors::PrepareError;
use uuid::Uuid;

/// Milliseconds of a month as partitions have it: 30 days.
const MONTH_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The statements.
#[derive(Debug)]
pub(crate) struct DocketStatements {
    months: Read,
    put_month: Write,
    entry: Read,
    first: Read,
    after: Read,
    begin: Conditional,
    advance: Conditional,
    forget: Conditional,
}

impl DocketStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        let columns = "SELECT book, id, rev, body FROM docket WHERE book = ? AND month = ?";
        let one = "WHERE book = ? AND month = ? AND id = ?";
        Ok(Self {
            months: cql.read_statement("SELECT month FROM docket_months WHERE book = ?").await?,
            put_month: cql.write_statement("INSERT INTO docket_months (book, month) VALUES (?, ?)").await?,
            entry: cql.settling_statement(&format!("{columns} AND id = ?")).await?,
            first: cql.read_statement(&format!("{columns} LIMIT ?")).await?,
            after: cql.read_statement(&format!("{columns} AND id < ? LIMIT ?")).await?,
            begin: cql
                .conditional_statement(
                    "INSERT INTO docket (rev, body, book, month, id) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS",
                )
                .await?,
            advance: cql
                .conditional_statement(&format!("UPDATE docket SET rev = ?, body = ? {one} IF rev = ?"))
                .await?,
            forget: cql.conditional_statement(&format!("DELETE FROM docket {one} IF EXISTS")).await?,
        })
    }
}

/// `book, id, rev, body`.
pub(crate) type Row = (i8, Vec<u8>, i64, String);

/// Returns the entry of a row.
pub(crate) fn entry((book, key, rev, body): Row) -> Result<Entry, StoreError> {
    let unknown = || corrupt(&std::io::Error::other(format!("a book of number {book}")));
    let book = Book::of_number(book.into()).ok_or_else(unknown)?;
    Ok(Entry { book, id: id(&key)?, rev: count(rev), body })
}

/// The first three columns of the key of an entry, and the id as a blob.
fn key(book: Book, id: Uuid) -> (i8, i32, Vec<u8>) {
    // The first 48 bits of an id that grows with time are its moment in milliseconds (RFC 9562, section 5.7).
    let millis = u64::try_from(id.as_u128() >> 80).unwrap_or(0);
    (number(book), i32::try_from(millis / MONTH_MS).unwrap_or(i32::MAX), ordered(id))
}

fn number(book: Book) -> i8 {
    i8::try_from(book.number()).unwrap_or(i8::MAX)
}

impl CqlStore {
    /// Writes an entry that was kept before, unless there is one.
    pub(crate) async fn keep_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        self.begin_entry(entry).await.map(drop)
    }

    async fn find_entry(&self, book: Book, id: Uuid) -> Result<Option<Entry>, StoreError> {
        let row = self.cql.row::<Row>(&self.docket.entry, key(book, id)).await?;
        row.map(entry).transpose()
    }

    async fn begin_entry(&self, entry: &Entry) -> Result<bool, StoreError> {
        let (book, month, id) = key(entry.book, entry.id);
        // Before the entry: whoever finds the entry's month empty loses nothing.
        self.cql.write(&self.docket.put_month, (book, month)).await?;
        let values = (integer(entry.rev), &entry.body, book, month, id);
        self.cql.settled(|| self.cql.decide(&self.docket.begin, &values)).await.map(|decided| decided.applied)
    }

    async fn write_entry(&self, entry: &Entry, tries: &mut Tries) -> Result<bool, StoreError> {
        let _turn = self.turns.at(&entry.id).await;
        loop {
            let there = self.find_entry(entry.book, entry.id).await?;
            if there.as_ref() == Some(entry) {
                return Ok(true);
            }
            let is_next = there.map_or(0, |there| there.rev) + 1 == entry.rev;
            if !is_next || (entry.rev > 1 && entry.book.is_append_only()) {
                return Ok(false);
            }
            if entry.rev == 1 {
                if self.begin_entry(entry).await? {
                    return Ok(true);
                }
                tries.wait().await?;
                continue;
            }
            let (book, month, id) = key(entry.book, entry.id);
            let (rev, before) = (integer(entry.rev), integer(entry.rev - 1));
            let values = (rev, &entry.body, book, month, id, before);
            if tries.is_applied(self.cql.decide(&self.docket.advance, values).await).await? {
                return Ok(true);
            }
        }
    }

    async fn page_of_book(
        &self,
        book: Book,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let months: Vec<(i32,)> = self.cql.rows(&self.docket.months, (number(book),)).await?;
        let newest = before.map_or(i32::MAX, |id| key(book, id).1);
        let mut found = Vec::new();
        for (month,) in months.into_iter().filter(|(month,)| *month <= newest) {
            let rows = i32::try_from(limit - found.len()).unwrap_or(i32::MAX);
            if rows == 0 {
                break;
            }
            let page: Vec<Row> = match before {
                Some(id) => {
                    let values = (number(book), month, ordered(id), rows);
                    self.cql.rows(&self.docket.after, values).await?
                }
                None => self.cql.rows(&self.docket.first, (number(book), month, rows)).await?,
            };
            for row in page {
                found.push(entry(row)?);
            }
        }
        Ok(found)
    }
}

impl Docket for CqlStore {
    fn put_entry(&self, entry: Entry) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let put = self.write_entry(&entry, &mut tries).await;
            tries.settle(put)
        })
    }

    fn entry(&self, book: Book, id: Uuid) -> Answer<'_, Option<Entry>> {
        Box::pin(self.find_entry(book, id))
    }

    fn entries(&self, book: Book, before: Option<Uuid>, limit: usize) -> Answer<'_, Vec<Entry>> {
        Box::pin(self.page_of_book(book, before, limit))
    }

    fn forget_entry(&self, book: Book, id: Uuid) -> Answer<'_, ()> {
        Box::pin(async move {
            if book.is_append_only() {
                return Ok(());
            }
            let values = key(book, id);
            self.cql.settled(|| self.cql.decide(&self.docket.forget, &values)).await.map(drop)
        })
    }
}
