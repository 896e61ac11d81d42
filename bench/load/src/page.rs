//! A page of tables and charts, said once and written as text, as Markdown or as HTML.

mod chart;
mod html;
mod markdown;
pub(crate) mod number;
mod svg;
mod terminal;

pub(crate) use chart::{Across, Chart, Line, Upwards};
pub(crate) use html::html;
pub(crate) use markdown::{markdown, table};
pub(crate) use terminal::terminal;

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) sections: Vec<Section>,
}

/// What stands under one heading.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// Empty for what follows the title at once.
    pub(crate) heading: String,
    pub(crate) blocks: Vec<Block>,
}

impl Section {
    /// Whether there is nothing in it but charts, so that without them there is nothing.
    fn is_drawn(&self) -> bool {
        self.blocks.iter().all(|block| matches!(block, Block::Charts(_)))
    }
}

/// One thing on a page.
#[derive(Debug)]
pub(crate) enum Block {
    Text(String),
    /// What one would type.
    Command(String),
    /// What a reader must not miss.
    Warning(String),
    /// What was checked and is well.
    Good(String),
    Table(Table),
    /// Drawn where one can draw, left out elsewhere.
    Charts(Vec<Chart>),
}

/// A table whose first column is words and whose others are numbers, unless it says otherwise.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<&'static str>,
    /// How many columns, from the left, are words.
    pub(crate) words: usize,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns an empty table with one column of words.
    pub(crate) fn new(columns: impl Into<Vec<&'static str>>) -> Self {
        Self { columns: columns.into(), words: 1, rows: Vec::new() }
    }

    /// Returns it with `words` columns of words.
    pub(crate) fn words(self, words: usize) -> Self {
        Self { words, ..self }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: impl Into<Vec<String>>) {
        self.rows.push(row.into());
    }

    /// Returns it without the columns that no row has anything in.
    pub(crate) fn without_empty_columns(mut self) -> Self {
        let used: Vec<bool> = (0..self.columns.len())
            .map(|at| self.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty())))
            .collect();
        let keep = |at: usize| used.get(at).copied().unwrap_or(false);
        self.words = (0..self.words).filter(|at| keep(*at)).count();
        let mut at = 0..;
        self.columns.retain(|_| at.next().is_some_and(keep));
        for row in &mut self.rows {
            let mut at = 0..;
            row.retain(|_| at.next().is_some_and(keep));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_nobody_uses_is_left_out() {
        let mut table = Table::new(["a", "b", "c", "d"]).words(2);
        table.push(["1".to_owned(), String::new(), String::new(), "4".to_owned()]);
        table.push(["5".to_owned(), String::new(), "7".to_owned(), "8".to_owned()]);
        let table = table.without_empty_columns();
        assert_eq!((table.columns, table.words), (vec!["a", "c", "d"], 1));
        assert_eq!(table.rows, [["1", "", "4"], ["5", "7", "8"]]);
    }
}
