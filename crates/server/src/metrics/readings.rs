//! Figures that somebody else counts, read when the page is asked for.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// How a figure behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// One figure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Its name, without prefix.
    pub(crate) name: &'static str,
    /// What it says.
    pub(crate) help: &'static str,
    /// How it behaves.
    pub(crate) kind: Kind,
    /// Its value now.
    pub(crate) value: f64,
}

impl Reading {
    /// A counter.
    pub(crate) fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: Kind::Counter, value: approximate(value) }
    }

    /// A gauge.
    pub(crate) fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: Kind::Gauge, value: approximate(value) }
    }
}

/// Prometheus keeps 64-bit floats anyway.
#[expect(clippy::cast_precision_loss, reason = "the page's consumers hold values as f64")]
fn approximate(value: u64) -> f64 {
    value as f64
}

/// Reads figures from `read` whenever the page is asked for.
pub(crate) struct Readings<F>(pub(crate) F);

impl<F> fmt::Debug for Readings<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readings")
    }
}

impl<F: Fn() -> Vec<Reading> + Send + Sync + 'static> Collector for Readings<F> {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for reading in (self.0)() {
            match reading.kind {
                Kind::Counter => {
                    let metric = ConstCounter::new(reading.value);
                    metric.encode(encoder.encode_descriptor(
                        reading.name,
                        reading.help,
                        None,
                        metric.metric_type(),
                    )?)?;
                }
                Kind::Gauge => {
                    let metric = ConstGauge::new(reading.value);
                    metric.encode(encoder.encode_descriptor(
                        reading.name,
                        reading.help,
                        None,
                        metric.metric_type(),
                    )?)?;
                }
            }
        }
        Ok(())
    }
}
