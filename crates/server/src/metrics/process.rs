//! The process: memory, files, processor time. Read from `/proc`; where there is none, the figures are missing.

use std::fs;

use super::readings::{Kind, Reading};

/// Reads what the kernel knows of this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    start_s: f64,
}

impl Process {
    /// A process that started at `wall_ms` (Unix time in milliseconds).
    #[expect(clippy::cast_precision_loss, reason = "the page's consumers hold values as f64")]
    pub(crate) fn started(wall_ms: u64) -> Self {
        Self { start_s: wall_ms as f64 / 1000.0 }
    }

    /// The figures now.
    pub(crate) fn readings(self) -> Vec<Reading> {
        let mut readings = vec![Reading {
            name: "process_start_time_seconds",
            help: "When the server started, Unix time",
            kind: Kind::Gauge,
            value: self.start_s,
        }];
        if let Some(bytes) = resident_bytes() {
            readings.push(Reading::gauge("process_resident_memory_bytes", "Memory in use", bytes));
        }
        if let Some(files) = open_files() {
            readings.push(Reading::gauge("process_open_fds", "Open files and sockets", files));
        }
        if let Some(files) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
            readings.push(Reading::gauge("process_max_fds", "Files and sockets that may be open", files));
        }
        if let Some(value) = cpu_seconds() {
            let help = "Processor time used, user and system";
            readings.push(Reading { name: "process_cpu_seconds", help, kind: Kind::Counter, value });
        }
        readings
    }
}

fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

fn open_files() -> Option<u64> {
    // One of them is the directory that is being read.
    fs::read_dir("/proc/self/fd").ok().map(|entries| (entries.count() as u64).saturating_sub(1))
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets, and may contain anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u32>().ok()?.checked_add(fields.get(12)?.parse().ok()?)?;
    let per_second = u32::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    Some(f64::from(ticks) / f64::from(per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_all_of_it() {
        let readings = Process::started(1_700_000_000_000).readings();
        assert_eq!(readings.len(), 5);
        assert!(readings.iter().all(|reading| reading.value >= 0.0));
        assert!(readings.iter().any(|reading| reading.name == "process_open_fds" && reading.value > 2.0));
    }
}
