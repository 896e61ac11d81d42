//! A page for a terminal: columns in line, no colours, so that it can be pasted anywhere.

use super::{Block, Page, Table};
use std::fmt::Write;

/// Returns the page as text.
pub(crate) fn terminal(page: &Page) -> String {
    let mut text = format!("{}\n", page.title);
    for section in page.sections.iter().filter(|section| !section.is_drawn()) {
        if !section.heading.is_empty() {
            text.push('\n');
            text.push_str(&section.heading);
            text.push('\n');
        }
        for block in &section.blocks {
            match block {
                Block::Text(said) | Block::Good(said) => writeln!(text, "  {said}"),
                Block::Command(typed) => writeln!(text, "  $ {typed}"),
                Block::Warning(said) => writeln!(text, "! {said}"),
                Block::Table(table) => write!(text, "{}", columns(table)),
                Block::Charts(_) => Ok(()),
            }
            .expect("memory takes whatever is written");
        }
    }
    text
}

fn columns(table: &Table) -> String {
    let width = |at: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain([table.columns[at].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (at, (cell, width)) in cells.zip(&widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let (before, after) =
                if at < table.words { ("", padding.as_str()) } else { (padding.as_str(), "") };
            line.push_str("  ");
            line.push_str(before);
            line.push_str(cell);
            line.push_str(after);
        }
        line.truncate(line.trim_end().len());
        line + "\n"
    };
    let mut text = line(&mut table.columns.iter().copied());
    for row in &table.rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}
