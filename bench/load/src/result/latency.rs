//! Latencies: all of them, as an HDR histogram, and the percentiles that people ask for.
//!
//! Percentiles of several runs are never averaged: histograms are added up and asked again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest latency that is told apart, in microseconds: ten minutes. What takes longer counts as this.
const HIGHEST_US: u64 = 600_000_000;

/// Significant digits: a percentile is right within 0.1 %.
const DIGITS: u8 = 3;

/// A histogram that is being filled, in microseconds.
#[derive(Clone, Debug)]
pub struct Recorder(Histogram<u64>);

impl Default for Recorder {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, HIGHEST_US, DIGITS).expect("the bounds are in order"))
    }
}

impl Recorder {
    /// Notes one latency. Costs a few nanoseconds and never allocates.
    pub fn note_us(&mut self, micros: u64) {
        self.0.saturating_record(micros);
    }

    /// Adds all that another one noted.
    pub fn add(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// Adds all that a result holds.
    ///
    /// # Errors
    ///
    /// As [`Latency::histogram`].
    pub fn add_latency(&mut self, latency: &Latency) -> Result<(), String> {
        self.0.add(latency.histogram()?).map_err(|error| format!("another histogram: {error}"))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// Returns how many were noted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Returns the latency below which `quantile` (0 to 1) of them are; 0 for none.
    pub fn quantile_us(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }

    /// Returns what was noted as it stands in a result; `None` for nothing.
    pub fn latency(&self) -> Option<Latency> {
        (self.count() > 0).then(|| Latency::of(&self.0))
    }
}

/// A distribution of latencies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean_us: f64,
    /// Half of them are at most this.
    pub p50_us: u64,
    /// 90 % of them are at most this.
    pub p90_us: u64,
    /// 99 % of them are at most this.
    pub p99_us: u64,
    /// 99.9 % of them are at most this.
    pub p999_us: u64,
    /// The longest.
    pub max_us: u64,
    /// The histogram in the V2 encoding of `HdrHistogram`, in base64: microseconds, three significant digits.
    pub hdr: String,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(histogram, &mut bytes).expect("memory takes whatever is written");
        Self {
            count: histogram.len(),
            mean_us: histogram.mean(),
            p50_us: histogram.value_at_quantile(0.5),
            p90_us: histogram.value_at_quantile(0.9),
            p99_us: histogram.value_at_quantile(0.99),
            p999_us: histogram.value_at_quantile(0.999),
            max_us: histogram.max(),
            hdr: STANDARD.encode(bytes),
        }
    }

    /// Returns the whole distribution, in microseconds.
    ///
    /// # Errors
    ///
    /// When `hdr` is no histogram, with what is wrong about it.
    pub fn histogram(&self) -> Result<Histogram<u64>, String> {
        let bytes = STANDARD.decode(&self.hdr).map_err(|error| format!("no base64: {error}"))?;
        Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| format!("no histogram: {error}"))
    }
}

/// The latencies of a phase or of a run, each where there were any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Latencies {
    /// From the intended moment of a send to its ack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<Latency>,
    /// From the intended moment of a send to each delivery of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Latency>,
    /// From the intended moment of a send to the last of its deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivery: Option<Latency>,
    /// From the intended moment of connecting to being authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Latency>,
    /// From the intended moment of connecting again to the last of the rooms being whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Latency>,
    /// Deliveries to those who do nothing special meanwhile: to all but the stopped, or the storming ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bystander: Option<Latency>,
}

impl Latencies {
    /// Returns what a run is about: its deliveries, else its acks, else how clients came in.
    pub fn main(&self) -> Option<(&'static str, &Latency)> {
        let named = |name| self.named().find(|(other, _)| *other == name);
        ["delivery", "ack", "resume", "connect"].into_iter().find_map(named)
    }

    /// Returns those that there are, with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Latency)> {
        [
            ("ack", &self.ack),
            ("delivery", &self.delivery),
            ("last_delivery", &self.last_delivery),
            ("connect", &self.connect),
            ("resume", &self.resume),
            ("bystander", &self.bystander),
        ]
        .into_iter()
        .filter_map(|(name, latency)| Some((name, latency.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_comes_back_as_it_was_noted() {
        let (mut one, mut other) = (Recorder::default(), Recorder::default());
        (1..=500).for_each(|value| one.note_us(value));
        (501..=1_000).for_each(|value| other.note_us(value));
        one.add(&other);
        one.note_us(u64::MAX);
        let latency = one.latency().unwrap();
        assert_eq!((latency.count, latency.p50_us, latency.p90_us), (1_001, 501, 901));
        let back = latency.histogram().unwrap();
        assert_eq!(Latency::of(&back), latency);
        assert!(latency.max_us.abs_diff(HIGHEST_US) <= HIGHEST_US / 1_000);
        one.clear();
        assert_eq!(one.latency(), None);
    }

    #[test]
    fn what_is_no_histogram_is_said_to_be_none() {
        let mut recorder = Recorder::default();
        recorder.note_us(7);
        let good = recorder.latency().unwrap();
        let with = |hdr: &str| Latency { hdr: hdr.to_owned(), ..good.clone() }.histogram().unwrap_err();
        assert!(with("*").starts_with("no base64"));
        assert!(with(&good.hdr[..40]).starts_with("no histogram"));
    }
}
