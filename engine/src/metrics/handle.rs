//! Handles: what the code counts with, made once for each series.

use super::row::{Kind, Row};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Level, Metadata, Recorder};

const METADATA: Metadata<'static> = Metadata::new("rookery", Level::INFO, Some("rookery"));

/// What a field of a subject can be.
pub trait Handle: Sized {
    /// What its metric is.
    const KIND: Kind;

    /// Describes a row and makes the handles of its series.
    fn of_row(row: &Row, to: &Registrar<'_>) -> Self;
}

/// A handle to one series.
pub trait Single: Handle {
    /// Makes it for a series.
    fn of_key(recorder: &dyn Recorder, key: &Key) -> Self;

    /// Returns one that counts nowhere.
    fn none() -> Self;

    /// Says what the metric is about.
    fn describe(recorder: &dyn Recorder, row: &Row);
}

macro_rules! single {
    ($($handle:ident $register:ident $describe:ident),+) => { $(
        impl Single for $handle {
            fn of_key(recorder: &dyn Recorder, key: &Key) -> Self {
                recorder.$register(key, &METADATA)
            }

            fn none() -> Self {
                Self::noop()
            }

            fn describe(recorder: &dyn Recorder, row: &Row) {
                recorder.$describe(KeyName::from_const_str(row.name), Some(row.unit), row.help.into());
            }
        }

        impl Handle for $handle {
            const KIND: Kind = Kind::$handle;

            fn of_row(row: &Row, to: &Registrar<'_>) -> Self {
                debug_assert!(row.labels.is_empty(), "{} has labels", row.name);
                Self::describe(to.recorder, row);
                Self::of_key(to.recorder, &row.key(&[]))
            }
        }
    )+ };
}

single!(
    Counter register_counter describe_counter,
    Gauge register_gauge describe_gauge,
    Histogram register_histogram describe_histogram
);

/// A handle for each set of values of a row's labels.
#[derive(Clone)]
pub struct By<H> {
    /// The values of each series, in the order of the handles.
    values: Vec<Vec<&'static str>>,
    handles: Vec<H>,
    width: usize,
    none: H,
}

impl<H: Single> By<H> {
    /// Returns the handle of the value with this index in the row: what the hot path uses.
    pub fn at(&self, index: usize) -> &H {
        debug_assert!(index < self.handles.len(), "there is no value {index}");
        self.handles.get(index).unwrap_or(&self.none)
    }

    /// Returns the handle of two values by their indexes, where the row has every pair of them. The
    /// first one of a row by route is the route's.
    pub fn cross(&self, first: usize, second: usize) -> &H {
        debug_assert!(second < self.width, "there is no second value {second}");
        self.at(first * self.width + second)
    }

    /// Returns the handle of a value of the catalogue; one it does not know counts nowhere. It looks
    /// through all of them, so it is for what is rare.
    pub fn of(&self, value: &str) -> &H {
        self.of_all(&[value])
    }

    /// As [`By::of`], for two labels.
    pub fn of_two(&self, first: &str, second: &str) -> &H {
        self.of_all(&[first, second])
    }

    fn of_all(&self, wanted: &[&str]) -> &H {
        let known = self.values.iter().position(|values| *values == wanted);
        debug_assert!(known.is_some(), "{wanted:?} is not in the catalogue");
        known.map_or(&self.none, |index| &self.handles[index])
    }
}

impl<H: Single> Handle for By<H> {
    const KIND: Kind = H::KIND;

    fn of_row(row: &Row, to: &Registrar<'_>) -> Self {
        H::describe(to.recorder, row);
        let (values, width) = row.series(to.routes);
        let handles = values.iter().map(|values| H::of_key(to.recorder, &row.key(values))).collect();
        Self { values, handles, width, none: H::none() }
    }
}

impl<H> std::fmt::Debug for By<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("By").field(&self.values).finish()
    }
}

/// Where the rows of subjects are registered.
#[expect(missing_debug_implementations, reason = "a recorder has none")]
pub struct Registrar<'a> {
    pub(super) recorder: &'a dyn Recorder,
    /// The method and the path of every route.
    pub(super) routes: &'a [[&'static str; 2]],
}
