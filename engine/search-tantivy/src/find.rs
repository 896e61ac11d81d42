//! What a search does on the index: one query, and the newest of what it matches.
//!
//! Nothing that a person types is parsed here: a query is made of the engine's words, one by one.

use crate::fields::{Columns, Fields, LogNumber};
use crate::place::Place;
use crate::rooms::View;
use rookery_engine::search::{Hit, Hits, Phrase, SearchError, SearchQuery};
use rookery_engine::store::StoreError;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;
use tantivy::query::{BooleanQuery, EnableScoring, PhrasePrefixQuery, PhraseQuery, Query, TermQuery, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{Searcher, SegmentReader, TERMINATED, Term};
use tokio::time::Instant;

/// How long one search reads. What matches is not in the order of time, so a page cannot end before all of
/// it was looked at.
const READS_FOR: Duration = Duration::from_secs(1);

/// Documents between two looks at the time, some 50 µs.
const DOCUMENTS: usize = 1024;

/// Rooms of a user that are looked up in the index; of somebody with more, all that matches is looked
/// through. Each room is one more list to merge.
const NAMED_ROOMS: usize = 256;

/// Words of one segment that the end of a phrase may go on to. The library opens the list of each, some
/// kilobytes, for as long as it reads.
const PHRASE_ENDS: usize = 4096;

/// Why nothing was found out.
#[derive(Debug)]
pub(crate) enum FindError {
    TooWide,
    Index(tantivy::TantivyError),
}

impl<E: Into<tantivy::TantivyError>> From<E> for FindError {
    fn from(error: E) -> Self {
        Self::Index(error.into())
    }
}

impl From<FindError> for SearchError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::TooWide => Self::TooWide,
            FindError::Index(error) => StoreError::Refused(error.to_string()).into(),
        }
    }
}

/// A search and what it has found so far.
struct Find<'a> {
    query: &'a SearchQuery,
    view: &'a View,
    /// Where the page before has ended.
    below: Option<Place>,
    until: Instant,
    /// The newest, at most one more than are asked for; the oldest of them first.
    newest: BinaryHeap<Reverse<Place>>,
}

/// Finds the newest of what matches in `view`, below the place where a page before has ended.
pub(crate) fn run(
    fields: Fields,
    view: &View,
    query: &SearchQuery,
    below: Option<Place>,
) -> Result<Hits, FindError> {
    let until = Instant::now() + READS_FOR;
    let mut find = Find { query, view, below, until, newest: BinaryHeap::new() };
    let weight =
        matching(fields, view, query)?.weight(EnableScoring::disabled_from_searcher(&view.searcher))?;
    // The newest first, so that what is older than what was found need not be read.
    let mut segments = Vec::new();
    for segment in view.searcher.segment_readers() {
        let columns = Columns::of(segment)?;
        segments.push((columns.newest(), segment, columns));
    }
    segments.sort_by_key(|(newest, ..)| Reverse(*newest));
    for (_, segment, columns) in &segments {
        find.read(segment, columns, &*weight)?;
    }
    Ok(find.page())
}

impl Find<'_> {
    fn read(
        &mut self,
        segment: &SegmentReader,
        columns: &Columns,
        weight: &dyn Weight,
    ) -> Result<(), FindError> {
        let is_older = |place: &Place| columns.newest().is_none_or(|newest| newest < place.order);
        if self.oldest().is_some_and(|oldest| is_older(&oldest)) {
            return Ok(());
        }
        if Instant::now() > self.until {
            return Err(FindError::TooWide);
        }
        let mut found = weight.scorer(segment, 1.0)?;
        let mut looked_at = 0_usize;
        while found.doc() != TERMINATED {
            if !segment.is_deleted(found.doc()) {
                self.look_at(columns, found.doc());
            }
            looked_at += 1;
            if looked_at.is_multiple_of(DOCUMENTS) && Instant::now() > self.until {
                return Err(FindError::TooWide);
            }
            found.advance();
        }
        Ok(())
    }

    /// Returns the oldest of what was found, once that is more than a page.
    fn oldest(&self) -> Option<Place> {
        self.newest.peek().filter(|_| self.newest.len() > self.query.limit).map(|Reverse(place)| *place)
    }

    /// Takes a document up if it is wanted and among the newest.
    fn look_at(&mut self, columns: &Columns, document: tantivy::DocId) {
        let (oldest, order) = (self.oldest(), columns.order(document));
        if oldest.is_some_and(|oldest| order.is_some_and(|order| order < oldest.order)) {
            return;
        }
        let Some(row) = columns.row(document) else { return };
        let Some(part) = self.view.parts.get(&row.log) else { return };
        let place = Place { order: row.order, room: part.room, seq: row.seq };
        let is_wanted = (part.joined..=part.head).contains(&row.seq)
            && self.query.before.is_none_or(|before| row.at < before)
            && self.below.is_none_or(|below| place < below)
            && oldest.is_none_or(|oldest| place > oldest);
        if is_wanted {
            if oldest.is_some() {
                self.newest.pop();
            }
            self.newest.push(Reverse(place));
        }
    }

    fn page(self) -> Hits {
        let mut places: Vec<Place> =
            self.newest.into_sorted_vec().into_iter().map(|Reverse(place)| place).collect();
        let has_more = places.len() > self.query.limit;
        places.truncate(self.query.limit);
        let next = places.last().filter(|_| has_more).map(|place| place.cursor());
        Hits { hits: places.into_iter().map(|Place { room, seq, .. }| Hit { room, seq }).collect(), next }
    }
}

/// Returns the query of what has all the words, by the author, of the kind and in the rooms wanted.
fn matching(fields: Fields, view: &View, query: &SearchQuery) -> Result<BooleanQuery, FindError> {
    let mut all = Vec::new();
    for phrase in query.terms.phrases() {
        all.push(words(fields, &view.searcher, phrase)?);
    }
    if let Some(from) = query.from {
        all.push(having(Term::from_field_bytes(fields.author, from.0.as_bytes())));
    }
    if let Some(kind) = &query.kind {
        all.push(having(Term::from_field_text(fields.kind, kind.as_str())));
    }
    if view.parts.len() <= NAMED_ROOMS {
        let logs = view.parts.keys().map(|log: &LogNumber| having(fields.log_term(*log)));
        all.push(Box::new(BooleanQuery::union(logs.collect())));
    }
    Ok(BooleanQuery::intersection(all))
}

fn having(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn words(fields: Fields, searcher: &Searcher, phrase: &Phrase) -> Result<Box<dyn Query>, FindError> {
    let mut terms: Vec<Term> =
        phrase.words.iter().map(|word| Term::from_field_text(fields.text, word)).collect();
    if phrase.is_prefix {
        let most = if terms.len() > 1 { phrase_ends(fields, searcher, phrase)? } else { u32::MAX };
        let mut query = PhrasePrefixQuery::new(terms);
        query.set_max_expansions(most);
        return Ok(Box::new(query));
    }
    match terms.pop() {
        Some(only) if terms.is_empty() => Ok(having(only)),
        Some(last) => {
            terms.push(last);
            Ok(Box::new(PhraseQuery::new(terms)))
        }
        None => Ok(Box::new(tantivy::query::EmptyQuery)),
    }
}

/// Returns how many words of one segment go on from the end of a phrase at most: the library makes room
/// for as many as it is told.
fn phrase_ends(fields: Fields, searcher: &Searcher, phrase: &Phrase) -> Result<u32, FindError> {
    let Some(beginning) = phrase.words.last() else { return Ok(0) };
    let mut most = 0;
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(fields.text)?;
        let mut terms = index.terms().range().ge(beginning).into_stream()?;
        let mut ends = 0;
        while terms.advance() && terms.key().starts_with(beginning.as_bytes()) {
            ends += 1;
            if ends > PHRASE_ENDS {
                return Err(FindError::TooWide);
            }
        }
        most = most.max(ends);
    }
    Ok(u32::try_from(most).unwrap_or(u32::MAX))
}
