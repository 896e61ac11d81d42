//! A row of the catalogue, and how a subject's rows become its handles.

use metrics::{Key, Label, Unit};

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes both ways.
    Gauge,
    /// A distribution over the row's buckets.
    Histogram,
}

/// One row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The full name, unit and `_total` included.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it counts in.
    pub unit: Unit,
    /// The names of its labels, none to three.
    pub labels: &'static [&'static str],
    /// What those labels say.
    pub values: Values,
    /// The upper bounds of a histogram, rising, without the last one, which is infinite; empty for
    /// everything else.
    pub buckets: &'static [f64],
    /// What it says.
    pub help: &'static str,
}

/// Every set of values that the labels of a row take. All of them are there from the start, so that
/// a rate over a first event is not lost, and no other can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// There is no label.
    None,
    /// One label.
    Each(&'static [&'static str]),
    /// Two labels, every value of one with every value of the other.
    Cross(&'static [&'static str], &'static [&'static str]),
    /// Two labels, these pairs.
    Pairs(&'static [[&'static str; 2]]),
    /// `method` and `route`, for every row of the table of routes, which the edge has.
    Routes,
    /// The same, and each with every value of a third one.
    RoutesWith(&'static [&'static str]),
}

impl Row {
    /// Returns the row of a metric without labels and buckets. What it is follows from its handle.
    pub(super) const fn of(name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, unit, labels: &[], values: Values::None, buckets: &[], help }
    }

    /// Gives it labels.
    pub(super) const fn by(mut self, labels: &'static [&'static str], values: Values) -> Self {
        self.labels = labels;
        self.values = values;
        self
    }

    /// Gives it buckets.
    pub(super) const fn over(mut self, buckets: &'static [f64]) -> Self {
        self.buckets = buckets;
        self
    }

    /// Says what it is.
    pub(super) const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Returns the values of the labels of all its series, in their order, and how many of them are
    /// in a row before what stands before the last label changes; `routes` are pairs of a method and
    /// a path.
    pub(super) fn series(&self, routes: &[[&'static str; 2]]) -> (Vec<Vec<&'static str>>, usize) {
        match self.values {
            Values::None => (vec![Vec::new()], 1),
            Values::Each(values) => (values.iter().map(|value| vec![*value]).collect(), 1),
            Values::Cross(first, second) => {
                let with = |one: &&'static str| {
                    let one = *one;
                    second.iter().map(move |two| vec![one, *two])
                };
                (first.iter().flat_map(with).collect(), second.len())
            }
            Values::Pairs(pairs) => (pairs.iter().map(|pair| pair.to_vec()).collect(), 1),
            Values::Routes => (routes.iter().map(|route| route.to_vec()).collect(), 1),
            Values::RoutesWith(third) => {
                let with = |[method, path]: &[&'static str; 2]| {
                    let (method, path) = (*method, *path);
                    third.iter().map(move |one| vec![method, path, *one])
                };
                (routes.iter().flat_map(with).collect(), third.len())
            }
        }
    }

    /// Returns the key of the series with these values.
    pub(super) fn key(&self, values: &[&'static str]) -> Key {
        let labels = self.labels.iter().zip(values);
        let labels: Vec<Label> = labels.map(|(name, value)| Label::from_static_parts(name, value)).collect();
        Key::from_parts(self.name, labels)
    }
}

/// Declares the handles of one subject, each with its row: a field, what it is, and after the equals
/// sign what the catalogue says.
macro_rules! subject {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $handle:ty = $row:expr;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "each field is a row of the catalogue, whose help says what it is")]
        pub struct $name { $(pub $field: $handle,)+ }

        impl $name {
            /// The rows, in the order of the fields.
            pub(super) const ROWS: &'static [$crate::metrics::row::Row] =
                &[$($row.kind(<$handle as $crate::metrics::handle::Handle>::KIND)),+];

            /// Describes and registers every row.
            pub(super) fn register(to: &$crate::metrics::handle::Registrar<'_>) -> Self {
                Self {
                    $($field: <$handle as $crate::metrics::handle::Handle>::of_row(&$row, to),)+
                }
            }
        }
    };
}
pub(super) use subject;
