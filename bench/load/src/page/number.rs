//! Numbers as people read them: three digits that matter, thousands apart, units that fit.

/// Returns a whole number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a number with three digits that matter, or all that are before the point.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    let decimals = match size {
        0.0 => 0,
        _ if size >= 99.95 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.9995 => 2,
        _ if size >= 0.099_95 => 3,
        _ => 4,
    };
    if decimals > 0 {
        return format!("{value:.decimals$}");
    }
    let sign = if value <= -0.5 { "-" } else { "" };
    format!("{sign}{}", count(whole(size)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are not negative; saturates"
)]
fn whole(size: f64) -> u64 {
    size.round() as u64
}

/// Returns microseconds in the unit that fits.
pub(crate) fn micros(value: f64) -> String {
    match value.abs() {
        size if size < 999.5 => format!("{} µs", number(value)),
        size if size < 999_500.0 => format!("{} ms", number(value / 1e3)),
        _ => format!("{} s", number(value / 1e6)),
    }
}

/// Returns bytes in the unit that fits.
pub(crate) fn bytes(value: f64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if value.abs() < 1024.0 {
        return format!("{} B", number(value));
    }
    let (mut scaled, mut unit) = (value / 1024.0, 0);
    while scaled.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{} {}", number(scaled), UNITS[unit])
}

/// Returns a value with its unit, as a figure has it.
pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "µs" => micros(value),
        "B" => bytes(value),
        "ratio" => format!("{} x", number(value)),
        "1/s" => format!("{}/s", number(value)),
        "" => number(value),
        unit => format!("{} {unit}", number(value)),
    }
}

/// Returns a share as percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// Returns microseconds as milliseconds, for a column that says so.
#[expect(clippy::cast_precision_loss, reason = "microseconds of minutes at most")]
pub(crate) fn millis(micros: u64) -> String {
    number(micros as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_matter_and_thousands_are_apart() {
        let said = [0.0, 0.01234, 0.5, 1.5, 12.34, 99.96, 1234.5, -1234.5, 1_234_567.0].map(number);
        assert_eq!(said, ["0", "0.0123", "0.500", "1.50", "12.3", "100", "1,235", "-1,235", "1,234,567"]);
        assert_eq!(number(f64::NAN), "–");
        assert_eq!([0, 999, 1_000, 1_000_000].map(count), ["0", "999", "1,000", "1,000,000"]);
    }

    #[test]
    fn units_fit() {
        assert_eq!([1.0, 999.9, 25_000.0, 2e6].map(micros), ["1.00 µs", "1.00 ms", "25.0 ms", "2.00 s"]);
        assert_eq!([512.0, 8192.0, 3e6, 1e13].map(bytes), ["512 B", "8.00 KiB", "2.86 MiB", "9.09 TiB"]);
        assert_eq!(with_unit(1.5, "ratio"), "1.50 x");
        assert_eq!(with_unit(1.5, "s"), "1.50 s");
        assert_eq!(with_unit(250_000.0, "1/s"), "250,000/s");
        assert_eq!(percent(0.053), "5.30 %");
        assert_eq!(millis(1_234), "1.23");
    }
}
