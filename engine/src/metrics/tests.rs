//! What the catalogue holds of itself: names, units, buckets, labels, and places in lists.

use super::*;
use rookery_protocol::{CloseCode, ErrorCode, Op};
use std::collections::HashSet;

fn row(name: &str) -> &'static Row {
    CATALOGUE.iter().find(|row| row.name == name).unwrap()
}

#[test]
fn a_name_stands_once_and_says_its_kind_and_unit() {
    let mut names = HashSet::new();
    for row in CATALOGUE {
        assert!(names.insert(row.name), "{} stands twice", row.name);
        assert_eq!(row.name.ends_with("_total"), row.kind == Kind::Counter, "{}", row.name);
        let stem = row.name.trim_end_matches("_total");
        let unit = match row.unit {
            metrics::Unit::Seconds => "_seconds",
            metrics::Unit::Bytes => "_bytes",
            _ => "",
        };
        assert!(stem.ends_with(unit), "{} is in {:?}", row.name, row.unit);
        assert!(row.help.ends_with('.'), "{}", row.name);
    }
}

#[test]
fn only_histograms_have_buckets_and_theirs_rise() {
    for row in CATALOGUE {
        assert_eq!(!row.buckets.is_empty(), row.kind == Kind::Histogram, "{}", row.name);
        assert!(row.buckets.is_sorted_by(|one, next| one < next), "{}", row.name);
    }
}

#[test]
fn every_row_has_a_value_for_each_of_its_labels() {
    for row in CATALOGUE {
        let (series, _) = row.series(&[["GET", "/"], NO_ROUTE]);
        assert!(!series.is_empty(), "{}", row.name);
        let distinct: HashSet<_> = series.iter().collect();
        assert_eq!(distinct.len(), series.len(), "{} has a series twice", row.name);
        assert!(series.iter().all(|values| values.len() == row.labels.len()), "{}", row.name);
    }
}

#[test]
fn what_is_counted_by_an_index_is_in_the_order_of_the_protocol() {
    let Values::Each(codes) = row("rookery_command_errors_total").values else { panic!() };
    assert!(ErrorCode::ALL.iter().all(|code| codes[*code as usize] == code.as_str()));
    let Values::Each(ops) = row("rookery_command_duration_seconds").values else { panic!() };
    assert_eq!(ops[Op::Ping.index()], "ping");
}

#[test]
fn every_close_code_has_its_series() {
    let Values::Each(codes) = row("rookery_closes_total").values else { panic!() };
    assert!(CloseCode::ALL.iter().all(|code| codes.contains(&code.as_u16().to_string().as_str())));
}

#[test]
fn handles_are_where_their_values_are() {
    let metrics = Metrics::none();
    assert!(std::ptr::eq(
        metrics.commands.commands.cross(1, 2),
        metrics.commands.commands.of_two("auth", "failed")
    ));
    assert!(std::ptr::eq(metrics.commands.step(Step::Write), metrics.commands.steps.of("write")));
    let last = StoreCall::Close as usize;
    assert!(std::ptr::eq(metrics.store.call_seconds.at(last), metrics.store.call_seconds.of("close")));
}
