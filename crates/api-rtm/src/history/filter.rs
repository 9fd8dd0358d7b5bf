//! Which messages a history request asks for: the same four parameters in a body and in a query string.

use std::borrow::Cow;

use stentor_core::store::HistoryFilter;

use super::time;
use crate::call::Call;
use crate::error::BadRequest;

/// The four parameters as they came. Absent, `null` and empty mean the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFilter<'a> {
    /// Only from this user. The name of a channel finds nothing, for channels send nothing.
    pub source: Option<Cow<'a, str>>,
    /// Only to this user or channel.
    pub destination: Option<Cow<'a, str>>,
    /// The first instant, inclusive.
    pub start_time: Cow<'a, str>,
    /// The last instant, inclusive.
    pub end_time: Cow<'a, str>,
}

impl RawFilter<'_> {
    /// Checks the names and times.
    pub(crate) fn check(&self, call: &Call) -> Result<HistoryFilter, BadRequest> {
        if self.source.is_none() && self.destination.is_none() {
            return Err(BadRequest("source and destination must not both be absent".into()));
        }
        let from = self.source.as_deref().map(|name| call.user("source", name)).transpose()?;
        // Users and channels share one rule, so the user's serves for both.
        let to = self.destination.as_deref().map(|name| call.user("destination", name)).transpose()?;
        let (start_ms, end_ms) =
            (time::parse("start_time", &self.start_time)?, time::parse("end_time", &self.end_time)?);
        if start_ms > end_ms {
            return Err(BadRequest("start_time must not be after end_time".into()));
        }
        Ok(HistoryFilter { from, to: to.map(|name| name.as_str().to_owned()), start_ms, end_ms, ..HistoryFilter::ALL })
    }
}
