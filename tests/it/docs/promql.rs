//! As much of `PromQL` as is needed to say which metrics and labels an expression names.

use rookery_api::route_infos;
use rookery_engine::metrics::{CATALOGUE, Kind, Row, Values};
use std::collections::BTreeSet;

/// What an expression asks for: a metric, with its matchers as label, operator and value.
#[derive(Debug)]
pub(super) struct Selector {
    pub(super) metric: String,
    pub(super) matchers: Vec<(String, String, String)>,
}

/// Something in an expression that is not there.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String);

/// Labels that Prometheus gives to every series, and the bound of a bucket.
const GIVEN: &[&str] = &["job", "instance", "le"];

/// Metrics that Prometheus makes itself.
const MADE: &[&str] = &["up"];

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'
}

/// Returns the words of an expression that may be metrics, each with where it ends, and without what is
/// between quotes, braces or the parentheses of `by` and the like.
fn words(expr: &str) -> Vec<(&str, usize)> {
    let (mut words, mut begin, mut depth, mut quoted, mut labels) = (Vec::new(), None, 0, false, false);
    let mut last = "";
    for (at, letter) in expr.char_indices().chain([(expr.len(), ' ')]) {
        if letter == '"' {
            quoted = !quoted;
        }
        if quoted || depth > 0 || labels {
            match letter {
                '{' | '[' if !quoted => depth += 1,
                '}' | ']' if !quoted => depth -= 1,
                ')' if labels => {
                    labels = false;
                    last = "";
                }
                _ => {}
            }
            continue;
        }
        if is_name(letter) {
            begin.get_or_insert(at);
            continue;
        }
        if let Some(begin) = begin.take() {
            last = &expr[begin..at];
            words.push((last, at));
        }
        match letter {
            '{' | '[' => depth += 1,
            '(' if ["by", "without", "on", "ignoring"].contains(&last) => labels = true,
            _ if letter.is_whitespace() => {}
            _ => last = "",
        }
    }
    words
}

/// Returns what an expression asks for.
pub(super) fn selectors(expr: &str) -> Vec<Selector> {
    let is_metric = |word: &str| {
        word.starts_with("rookery_")
            || word.starts_with("process_")
            || word.contains(':')
            || MADE.contains(&word)
    };
    words(expr)
        .into_iter()
        .filter(|(word, _)| is_metric(word))
        .map(|(word, end)| Selector { metric: word.to_owned(), matchers: matchers(&expr[end..]) })
        .collect()
}

fn matchers(rest: &str) -> Vec<(String, String, String)> {
    let Some(inner) = rest.strip_prefix('{') else { return Vec::new() };
    let mut matchers = Vec::new();
    let mut rest = inner;
    while let Some((label, after)) = rest.split_once(['=', '!']) {
        if label.contains('}') {
            break;
        }
        let Some((_, quoted)) = after.split_once('"') else { break };
        let Some((value, next)) = quoted.split_once('"') else { break };
        let operator = &rest[label.len()..rest.len() - quoted.len() - 1];
        matchers.push((label.trim_matches([',', ' ']).to_owned(), operator.to_owned(), value.to_owned()));
        rest = next;
    }
    matchers
}

/// Returns the row of the catalogue that a series is of.
pub(super) fn row(metric: &str) -> Option<&'static Row> {
    let of = |name: &str| CATALOGUE.iter().find(|row| row.name == name);
    let part = ["_bucket", "_sum", "_count"].iter().find_map(|end| metric.strip_suffix(end));
    match part.and_then(of) {
        Some(row) if row.kind == Kind::Histogram => Some(row),
        _ => of(metric).filter(|row| row.kind != Kind::Histogram),
    }
}

/// Returns the metrics that stand neither in a range nor in a bare sum of a rate.
pub(super) fn metrics_outside_of_rates(expr: &str) -> Vec<String> {
    let has_range = |end: usize| {
        let rest = &expr[end..];
        let rest = rest.find('}').filter(|_| rest.starts_with('{')).map_or(rest, |close| &rest[close + 1..]);
        rest.starts_with('[')
    };
    words(expr).into_iter().filter(|(_, end)| !has_range(*end)).map(|(word, _)| word.to_owned()).collect()
}

/// Returns whether a label of a row may say this.
fn says(row: &Row, label: &str, value: &str) -> bool {
    let Some(at) = row.labels.iter().position(|one| *one == label) else { return false };
    let route = |at: usize| route_infos().any(|route| [route.method, route.path][at] == value);
    match row.values {
        Values::None => false,
        Values::Each(values) => values.contains(&value),
        Values::Cross(first, second) => [first, second][at].contains(&value),
        Values::Pairs(pairs) => pairs.iter().any(|pair| pair[at] == value),
        Values::Routes => route(at),
        Values::RoutesWith(third) => {
            if at < 2 {
                route(at)
            } else {
                third.contains(&value)
            }
        }
    }
}

/// Returns what an expression names and nobody has: metrics, labels, values of labels.
pub(super) fn problems(expr: &str, recorded: &BTreeSet<&str>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut known: BTreeSet<&str> = GIVEN.iter().copied().collect();
    for Selector { metric, matchers } in selectors(expr) {
        let found = row(&metric);
        if found.is_none() && !MADE.contains(&metric.as_str()) && !recorded.contains(metric.as_str()) {
            problems.push(Problem(format!("there is no {metric}")));
            continue;
        }
        let Some(row) = found else { continue };
        known.extend(row.labels);
        for (label, operator, value) in matchers.iter().filter(|one| !GIVEN.contains(&one.0.as_str())) {
            // A pattern that is only names with bars between is looked at one by one.
            let values: Vec<_> =
                if operator.ends_with('~') { value.split('|').collect() } else { vec![value] };
            for value in values.into_iter().filter(|value| !value.contains(['$', '*', '+', '['])) {
                if !says(row, label, value) {
                    problems.push(Problem(format!("{metric} has no {label} {value:?}")));
                }
            }
        }
    }
    for keyword in ["by (", "without (", "on (", "ignoring ("] {
        for list in expr.split(keyword).skip(1).filter_map(|rest| rest.split(')').next()) {
            let labels = list.split(',').map(str::trim).filter(|label| !known.contains(label));
            problems.extend(labels.map(|label| Problem(format!("nothing here has the label {label}"))));
        }
    }
    problems
}

#[test]
fn what_an_expression_asks_for_is_found() {
    let expr = r#"sum by (le, op) (rate(rookery_a_bucket{op="x",job=~"$job"}[5m])) / up and job:b:c > 0"#;
    let found = selectors(expr);
    let names: Vec<_> = found.iter().map(|one| one.metric.as_str()).collect();
    assert_eq!(names, ["rookery_a_bucket", "up", "job:b:c"]);
    let matchers: Vec<_> =
        found[0].matchers.iter().map(|(label, op, value)| format!("{label}{op}{value}")).collect();
    assert_eq!(matchers, ["op=x", "job=~$job"]);
    assert!(row("rookery_append_events_bucket").is_some() && row("rookery_append_events").is_none());
    assert!(row("rookery_connections").is_some() && row("rookery_connections_sum").is_none());
}
