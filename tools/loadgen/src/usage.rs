//! What a process used, read from `/proc`: CPU time and resident memory.

use std::fs;

use anyhow::Context;

/// CPU time of a process in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct CpuTime(f64);

impl CpuTime {
    /// User and system time of the process and of its children that have ended, from `/proc/<pid>/stat`. In
    /// clock ticks, mostly 10 ms.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn of_process(pid: u32) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
        let ticks = ticks(&stat).context("reading /proc/<pid>/stat")?;
        Ok(Self(ticks as f64 * 1e6 / rustix::param::clock_ticks_per_second() as f64))
    }

    /// Time on the CPU of the threads that live now, from `/proc/<pid>/task/*/schedstat`. In nanoseconds: for
    /// spans too short for [`Self::of_process`], of a process whose threads do not end meanwhile.
    ///
    /// # Errors
    /// When the process is gone or the kernel does not keep this count.
    pub fn of_threads(pid: u32) -> anyhow::Result<Self> {
        let mut nanoseconds = 0.0;
        for thread in fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")? {
            let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            nanoseconds += text.split(' ').next().and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
        }
        Ok(Self(nanoseconds / 1e3))
    }

    /// Microseconds since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

/// utime, stime, cutime and cstime: fields 14 to 17. The second field, the name, may hold anything but ends with
/// the last parenthesis.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let times = fields.split_whitespace().skip(11).take(4);
    times.map(|field| field.parse::<u64>().ok()).sum()
}

/// Resident memory of a process in KiB, from `/proc/<pid>/status`.
///
/// # Errors
/// When the process is gone.
pub fn resident_kib(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).context("no VmRSS in /proc/<pid>/status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_is_skipped() {
        let stat = "42 (a) (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 7 5 2 1 20 0 1 0 100 0 0";
        assert_eq!(ticks(stat), Some(15));
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let pid = std::process::id();
        assert!(resident_kib(pid).unwrap() > 100.0);
        let before = CpuTime::of_threads(pid).unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_millis(30);
        while std::time::Instant::now() < until {}
        assert!(CpuTime::of_threads(pid).unwrap().since(before) > 0.0);
        assert!(CpuTime::of_process(pid).unwrap().since(CpuTime(0.0)) >= 0.0);
    }
}
