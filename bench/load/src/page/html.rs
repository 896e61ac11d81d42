//! A page as one HTML file that needs nothing else: no script, no font, no picture, no network.

use super::svg::svg;
use super::{Block, Page, Section, Table};

/// The look: the reader's light or dark, and its own colours for the lines in each.
const STYLE: &str = include_str!("page.css");

/// Returns the page.
pub(crate) fn html(page: &Page) -> String {
    let body: Vec<String> = page.sections.iter().map(section).collect();
    let body = body.concat();
    let title = escape(&page.title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\
         </main>\n</body>\n</html>\n"
    )
}

fn section(section: &Section) -> String {
    let heading = match section.heading.as_str() {
        "" => String::new(),
        heading => format!("<h2>{}</h2>\n", escape(heading)),
    };
    let blocks: Vec<String> = section.blocks.iter().map(block).collect();
    format!("<section>\n{heading}{}</section>\n", blocks.concat())
}

fn block(block: &Block) -> String {
    match block {
        Block::Text(said) => format!("<p>{}</p>\n", escape(said)),
        Block::Command(typed) => format!("<p><code>{}</code></p>\n", escape(typed)),
        Block::Warning(said) => format!("<p class=\"warning\">{}</p>\n", escape(said)),
        Block::Good(said) => format!("<p class=\"good\">{}</p>\n", escape(said)),
        Block::Table(table) => self::table(table),
        Block::Charts(charts) => {
            let charts: Vec<String> = charts.iter().map(svg).collect();
            format!("<div class=\"charts\">\n{}</div>\n", charts.concat())
        }
    }
}

fn table(table: &Table) -> String {
    let cell = |tag: &str, at: usize, text: &str| {
        let class = if at < table.words { "" } else { " class=\"n\"" };
        format!("<{tag}{class}>{}</{tag}>", escape(text))
    };
    let head: Vec<String> = table.columns.iter().enumerate().map(|(at, name)| cell("th", at, name)).collect();
    let row = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().enumerate().map(|(at, text)| cell("td", at, text)).collect();
        format!("<tr>{}</tr>\n", cells.concat())
    };
    let rows: Vec<String> = table.rows.iter().map(row).collect();
    let (head, rows) = (head.concat(), rows.concat());
    format!(
        "<div class=\"table\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// Returns `text` so that it is only text.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
