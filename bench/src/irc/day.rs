//! A day: its lines, and which line answers which.

use super::line::Line;
use anyhow::Context;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Lines in their order, counted from 0, with the answers among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Day {
    /// The day's name, for people.
    pub(crate) name: String,
    /// Every line of the file.
    pub(crate) lines: Vec<Line>,
    /// From a line to the newest earlier line that it answers.
    pub(crate) answers: HashMap<usize, usize>,
}

impl Day {
    /// Reads `DAY.raw.txt`, and `DAY.annotation.txt` beside it where there is one.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let raw = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file.trim_end_matches(".raw.txt").to_owned();
        let annotation = path.with_file_name(format!("{name}.annotation.txt"));
        let links = if annotation.exists() { fs::read_to_string(&annotation)? } else { String::new() };
        Ok(Self::parse(name, &raw, &links))
    }

    /// Reads a log of any bytes, and annotations.
    pub(crate) fn parse(name: String, raw: &[u8], annotation: &str) -> Self {
        let text = String::from_utf8_lossy(raw);
        // Not `lines()`: the corpus counts by line feeds alone.
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let lines: Vec<Line> = text.split('\n').map(Line::parse).collect();
        let mut answers: HashMap<usize, usize> = HashMap::new();
        for link in annotation.lines() {
            let mut numbers = link.split_whitespace().map_while(|number| number.parse::<usize>().ok());
            let (Some(one), Some(other)) = (numbers.next(), numbers.next()) else { continue };
            let (earlier, later) = (one.min(other), one.max(other));
            if earlier < later && later < lines.len() {
                let answered = answers.entry(later).or_insert(earlier);
                *answered = earlier.max(*answered);
            }
        }
        Self { name, lines, answers }
    }
}

#[cfg(test)]
mod tests {
    use super::super::What;
    use super::*;

    #[test]
    fn odd_bytes_are_kept_as_lines_and_the_newest_answered_line_counts() {
        let raw =
            b"[00:01] <a> \xe9t\xe9\n=== b [h] has joined #x\n[00:02] <b> \x02bold\n[00:03] <a> b: hi\n";
        let day = Day::parse("d".to_owned(), raw, "2 2 -\n0 3 -\n2 3 -\nbroken\n3 99 -\n");
        assert_eq!(day.lines.len(), 4);
        let said = What::Say { nick: "a".to_owned(), text: "\u{fffd}t\u{fffd}".to_owned() };
        assert_eq!(day.lines[0].what, said);
        assert_eq!(day.answers, HashMap::from([(3, 2)]));
    }
}
