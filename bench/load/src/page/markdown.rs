//! A page as Markdown, to stand in another page.

use super::{Block, Page, Table};

/// Returns the page, its title a heading of `level` and its sections one below.
pub(crate) fn markdown(page: &Page, level: usize) -> String {
    let mut parts = vec![format!("{} {}", "#".repeat(level), page.title)];
    for section in page.sections.iter().filter(|section| !section.is_drawn()) {
        if !section.heading.is_empty() {
            parts.push(format!("{} {}", "#".repeat(level + 1), section.heading));
        }
        parts.extend(section.blocks.iter().filter_map(|block| match block {
            Block::Text(said) | Block::Good(said) => Some(escape(said)),
            Block::Command(typed) => Some(format!("`{typed}`")),
            Block::Warning(said) => Some(format!("**{}**", escape(said))),
            Block::Table(table) => Some(self::table(table)),
            Block::Charts(_) => None,
        }));
    }
    parts.join("\n\n") + "\n"
}

/// Returns a table as Markdown, without a line end after it.
pub(crate) fn table(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines = vec![line(table.columns.iter().map(|&name| name.to_owned()).collect())];
    let rules = (0..table.columns.len()).map(|at| if at < table.words { "---" } else { "---:" });
    lines.push(format!("|{}|", rules.collect::<Vec<_>>().join("|")));
    lines.extend(table.rows.iter().map(|row| line(row.iter().map(|cell| escape(cell)).collect())));
    lines.join("\n")
}

/// Returns `text` so that it neither ends a cell nor begins a tag.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<").replace('\n', " ")
}
