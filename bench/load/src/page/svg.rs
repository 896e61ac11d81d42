//! A chart as SVG, to stand in a page that gives its colours: `.s0` to `.s5` are the lines.

use super::chart::{Across, Chart, Line, Scale, Upwards};
use super::html::escape;
use super::number::number;
use std::fmt::Write;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 260.0;
/// Room for the numbers and names around the lines: left, right, top, bottom.
const MARGINS: [f64; 4] = [52.0, 26.0, 20.0, 34.0];
/// Colours that the page has; a seventh line has the first one's.
const COLOURS: usize = 6;

/// Returns the chart, with its title and what each line is.
pub(super) fn svg(chart: &Chart) -> String {
    let plot = Plot::of(chart);
    let mut text = String::new();
    let lines: Vec<&Line> = chart.lines.iter().filter(|line| !line.is_empty()).collect();
    plot.draw(&mut text, &lines).expect("memory takes whatever is written");
    let legend: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| format!("<span class=\"key s{}\">{}</span>", at % COLOURS, escape(&line.name)))
        .collect();
    format!(
        "<figure><figcaption><b>{}</b><span class=\"unit\">{}</span>{}</figcaption>{text}</figure>\n",
        escape(chart.title),
        escape(chart.unit),
        legend.concat()
    )
}

struct Plot<'a> {
    chart: &'a Chart,
    across: Scale,
    upwards: Scale,
}

impl<'a> Plot<'a> {
    fn of(chart: &'a Chart) -> Self {
        let points = || chart.lines.iter().flat_map(|line| &line.points).filter(|(_, y)| y.is_finite());
        let ends = chart.spans.iter().map(|(_, to, _)| *to);
        let right = points().map(|(x, _)| *x).chain(ends).fold(0.0, f64::max);
        let most = points().map(|(_, y)| *y).fold(0.0, f64::max);
        let least =
            points().map(|(_, y)| *y).filter(|y| *y > 0.0).fold(f64::MAX, f64::min).min(most.max(1e-3));
        Self {
            chart,
            across: match chart.across {
                Across::Seconds => Scale { to: right.max(1.0), ..Scale::even(right.max(1.0)) },
                Across::Nines => Scale { from: 0.0, ..Scale::powers(1.0, 10_f64.powf(right.max(1.0))) },
            },
            upwards: match chart.upwards {
                Upwards::Even => Scale::even(most),
                Upwards::Powers => Scale::powers(least, most),
            },
        }
    }

    fn x(&self, value: f64) -> f64 {
        MARGINS[0] + self.across.place(value) * (WIDTH - MARGINS[0] - MARGINS[1])
    }

    fn y(&self, value: f64) -> f64 {
        let value = match self.chart.upwards {
            Upwards::Even => value,
            Upwards::Powers => value.max(1e-9).log10(),
        };
        self.y_of_tick(value)
    }

    /// Returns the number at which the units of the ticks are chosen: powers of ten have one each.
    fn unit_of(&self, value: f64) -> f64 {
        if self.chart.upwards == Upwards::Powers { value } else { self.upwards.to }
    }

    fn y_of_tick(&self, tick: f64) -> f64 {
        HEIGHT - MARGINS[3] - self.upwards.place(tick) * (HEIGHT - MARGINS[2] - MARGINS[3])
    }

    fn draw(&self, text: &mut String, lines: &[&Line]) -> std::fmt::Result {
        let (left, right) = (MARGINS[0], WIDTH - MARGINS[1]);
        let (top, bottom) = (MARGINS[2], HEIGHT - MARGINS[3]);
        write!(
            text,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escape(self.chart.title)
        )?;
        for (number, (from, to, name)) in self.chart.spans.iter().enumerate() {
            let (from, to) = (self.x(*from), self.x(*to));
            let class = if number % 2 == 0 { "span" } else { "span odd" };
            let width = to - from;
            write!(text, "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\"")?;
            write!(text, " height=\"{:.1}\"><title>{}</title></rect>", bottom - top, escape(name))?;
            // A name that does not fit is told by the title alone.
            if width > 6.5 * f64::from(u16::try_from(name.len()).unwrap_or(u16::MAX)) {
                let middle = f64::midpoint(from, to);
                write!(
                    text,
                    "<text class=\"name\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>",
                    top - 6.0,
                    escape(name)
                )?;
            }
        }
        for tick in &self.upwards.ticks {
            let y = self.y_of_tick(*tick);
            let value = if self.chart.upwards == Upwards::Powers { 10_f64.powf(*tick) } else { *tick };
            write!(text, "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>")?;
            write!(
                text,
                "<text class=\"up\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left - 6.0,
                y + 4.0,
                short(value, self.unit_of(value))
            )?;
        }
        for tick in self.across.ticks.iter().filter(|tick| **tick <= self.across.to + 1e-9) {
            let x = self.x(*tick);
            let name = match self.chart.across {
                Across::Seconds => format!("{} s", short(*tick, self.across.to)),
                Across::Nines => nines(*tick),
            };
            write!(
                text,
                "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{:.1}\"/>",
                bottom + 4.0
            )?;
            write!(text, "<text class=\"across\" x=\"{x:.1}\" y=\"{:.1}\">{name}</text>", bottom + 17.0)?;
        }
        for (at, line) in lines.iter().enumerate() {
            let path = self.path(&line.points);
            let class = at % COLOURS;
            write!(
                text,
                "<path class=\"line s{class}\" d=\"{path}\"><title>{}</title></path>",
                escape(&line.name)
            )?;
        }
        text.push_str("</svg>");
        Ok(())
    }

    /// Returns the line; after a gap it begins anew.
    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut gap = true;
        let step = |(x, y): &(f64, f64)| {
            let is_gap = std::mem::replace(&mut gap, !y.is_finite());
            let step = if is_gap { 'M' } else { 'L' };
            y.is_finite().then(|| format!("{step}{:.1} {:.1}", self.x(*x), self.y(*y)))
        };
        points.iter().filter_map(step).collect::<Vec<_>>().concat()
    }
}

/// Returns a tick's number, in thousands or millions where `most` of them is.
fn short(value: f64, most: f64) -> String {
    let (scaled, unit) = match most {
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = number(scaled);
    let unit = if scaled == 0.0 { "" } else { unit };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// Returns the percentile that so many nines are.
fn nines(tick: f64) -> String {
    if tick < 0.5 {
        return "0 %".to_owned();
    }
    let share = 100.0 * (1.0 - 10_f64.powf(-tick));
    format!("{} %", format!("{share:.8}").trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short() {
        assert_eq!([0.25, 5.0, 1_000.0].map(|value| short(value, 5_000.0)), ["0.25", "5", "1,000"]);
        assert_eq!([0.0, 5_000.0, 20_000.0].map(|value| short(value, 20_000.0)), ["0", "5k", "20k"]);
        assert_eq!(short(2.5e6, 1e7), "2.5M");
        assert_eq!([0.0, 1.0, 2.0, 4.0].map(nines), ["0 %", "90 %", "99 %", "99.99 %"]);
    }

    #[test]
    fn a_gap_is_a_gap_and_a_name_cannot_end_its_element() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0), (3.0, 2.0)];
        let chart = Chart {
            title: "t",
            unit: "u",
            across: Across::Seconds,
            upwards: Upwards::Even,
            lines: vec![Line { name: "<a>".to_owned(), points }],
            spans: vec![(0.0, 3.0, "p&q".to_owned())],
        };
        let drawn = svg(&chart);
        let path = drawn.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(path.matches('M').count(), 2);
        assert_eq!(path.matches('L').count(), 1);
        assert!(drawn.contains("&lt;a&gt;") && drawn.contains("p&amp;q") && !drawn.contains("<a>"));
    }
}
