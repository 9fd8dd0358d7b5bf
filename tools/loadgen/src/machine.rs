//! What the generator asks of the machine: file descriptors, and a core for each side.

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Raises the limit of open files to at least `wanted`, for this process and those it starts.
///
/// # Errors
/// When neither the hard limit suffices nor the process may raise it.
pub fn allow_open_files(wanted: u64) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let enough = |value: Option<u64>| value.is_none_or(|value| value >= wanted);
    if enough(limit.current) {
        return Ok(());
    }
    let maximum = if enough(limit.maximum) { limit.maximum } else { Some(wanted) };
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).with_context(|| {
        format!(
            "{wanted} open files are needed, but the hard limit is {}: raise it (ulimit -Hn)",
            limit.maximum.unwrap_or_default()
        )
    })
}

/// Which core is whose. Without a second core nothing is pinned.
#[derive(Debug, Clone, Copy)]
pub struct Cores {
    pair: Option<(usize, usize)>,
}

impl Cores {
    /// The first two cores that this process may use: the first for the server, the second for the generator.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn choose() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None).context("reading the CPU affinity")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        Ok(Self { pair: cores.next().zip(cores.next()) })
    }

    /// Nothing is pinned.
    #[must_use]
    pub fn unpinned() -> Self {
        Self { pair: None }
    }

    /// Whether server and generator each have a core of their own.
    #[must_use]
    pub fn pinned(self) -> bool {
        self.pair.is_some()
    }

    /// Pins this thread, and what it starts from now on, to the generator's core.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn take_generator(self) -> anyhow::Result<()> {
        self.pair.map_or(Ok(()), |(_, generator)| pin(generator))
    }

    /// Runs `start` on the server's core, so that the process it starts inherits that and stays there.
    ///
    /// # Errors
    /// When the system refuses to pin, or `start` fails.
    pub fn on_server_core<T>(self, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let Some((server, generator)) = self.pair else { return start() };
        pin(server)?;
        let started = start();
        pin(generator)?;
        started
    }
}

fn pin(core: usize) -> anyhow::Result<()> {
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).with_context(|| format!("pinning to core {core}"))
}
