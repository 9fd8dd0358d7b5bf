//! Messages kept for later queries.

use std::sync::Arc;

use crate::app::App;
use crate::limits::Rule;
use crate::message::Message;
use crate::node::{Node, QueryError};
use crate::store::{HistoryFilter, HistoryPage};

impl Node {
    /// Takes one history query under its rate.
    ///
    /// # Errors
    /// When asked too often, or the app keeps no history.
    pub fn allow_history_query(&self, app: &Arc<App>) -> Result<(), QueryError> {
        app.policy().history.ok_or(QueryError::NoHistory)?;
        Ok(app.limit(Rule::HistoryQueries, self.clock().monotonic_us())?)
    }

    /// Messages that were kept for history.
    ///
    /// # Errors
    /// When the store fails, or the app keeps no history.
    pub async fn history(
        &self,
        app: &Arc<App>,
        filter: &HistoryFilter,
        page: HistoryPage,
    ) -> Result<Vec<Arc<Message>>, QueryError> {
        app.policy().history.ok_or(QueryError::NoHistory)?;
        Ok(self.store().history(app.id(), filter, page, self.clock().wall_ms()).await?)
    }

    /// How many messages were kept for history.
    ///
    /// # Errors
    /// When the store fails, or the app keeps no history.
    pub async fn history_count(&self, app: &Arc<App>, filter: &HistoryFilter) -> Result<u64, QueryError> {
        app.policy().history.ok_or(QueryError::NoHistory)?;
        Ok(self.store().history_count(app.id(), filter, self.clock().wall_ms()).await?)
    }
}
