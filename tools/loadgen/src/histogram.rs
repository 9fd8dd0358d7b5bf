//! Latencies in logarithmic buckets: constant memory, about 1.5 % of error, whatever the number of samples.

use std::time::Duration;

const SUB_BITS: u32 = 6;
const SUB: u64 = 1 << SUB_BITS;

/// Counts of durations, for quantiles.
#[derive(Debug, Default, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Adds one sample.
    pub fn record(&mut self, sample: Duration) {
        let bucket = bucket(u64::try_from(sample.as_nanos()).unwrap_or(u64::MAX));
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
    }

    /// How many samples there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The value that the share `q` of the samples does not exceed, in milliseconds; nothing without samples.
    #[must_use]
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let rank = ((self.total as f64 * q).ceil() as u64).clamp(1, self.total);
        let mut below = 0;
        let bucket = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(middle_ns(bucket) as f64 / 1e6)
    }
}

/// Values below `SUB` have a bucket each; above, each power of two is cut into `SUB` buckets.
fn bucket(ns: u64) -> usize {
    let shift = (63 - (ns | 1).leading_zeros()).saturating_sub(SUB_BITS);
    (u64::from(shift) * SUB + (ns >> shift)) as usize
}

fn middle_ns(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / SUB).saturating_sub(1);
    let base = bucket - shift * SUB;
    (base << shift) + ((1 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_close() {
        let mut histogram = Histogram::default();
        for microseconds in 1..=100_000u64 {
            histogram.record(Duration::from_micros(microseconds));
        }
        for (q, expected) in [(0.5, 50.0), (0.99, 99.0), (0.001, 0.1), (1.0, 100.0)] {
            let found = histogram.quantile_ms(q).unwrap();
            assert!((found / expected - 1.0).abs() < 0.02, "{q}: {found} instead of {expected}");
        }
        assert_eq!(histogram.total(), 100_000);
    }

    #[test]
    fn buckets_grow_with_the_value() {
        let mut last = 0;
        for ns in (0..200_000).chain((1..40).map(|power| 1 << (power + 20))) {
            let bucket = bucket(ns);
            assert!(bucket >= last, "{ns}");
            last = bucket;
        }
        bucket(u64::MAX);
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile_ms(0.5), None);
    }
}
