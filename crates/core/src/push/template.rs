//! Templates: patterns of titles and contents, by name.

use minicbor::{Decode, Encode};

use crate::app::App;
use crate::directory::DirectoryError;
use crate::node::Node;
use crate::records::{Page, Record, RecordKind};
use crate::store::{Scan, StoreError};

/// Templates of one app.
pub const TEMPLATES: usize = 1000;

/// A pattern for the title and one for the content of pushes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PushTemplate {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Made at: Unix time in milliseconds.
    #[n(1)]
    pub created_ms: u64,
    /// Changed last at: Unix time in milliseconds.
    #[n(2)]
    pub updated_ms: u64,
    /// The pattern of the title.
    #[n(3)]
    pub title: String,
    /// The pattern of the content.
    #[n(4)]
    pub content: String,
}

impl Record for PushTemplate {
    const KIND: RecordKind = RecordKind::PushTemplate;
}

impl Node {
    /// Makes a template, or changes the one of that name. With `only_if_there`, it makes none.
    ///
    /// # Errors
    /// When there would be more than [`TEMPLATES`], or the store fails. `Ok(None)`: there is none to change.
    pub async fn put_push_template(
        &self,
        app: &App,
        name: &str,
        (title, content): (Option<&str>, Option<&str>),
        only_if_there: bool,
    ) -> Result<Option<PushTemplate>, DirectoryError> {
        let now_ms = self.clock().wall_ms();
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let before = records.get::<PushTemplate>(name).await?;
            if before.is_none() {
                if only_if_there {
                    return Ok(None);
                }
                if self.store().count_records(app.id(), RecordKind::PushTemplate, "").await? >= TEMPLATES as u64 {
                    return Err(DirectoryError::TooMany { max: TEMPLATES });
                }
            }
            let before = before.unwrap_or_else(|| PushTemplate {
                name: name.to_owned(),
                created_ms: now_ms,
                updated_ms: now_ms,
                title: String::new(),
                content: String::new(),
            });
            let template = PushTemplate {
                updated_ms: now_ms,
                title: title.map_or(before.title, str::to_owned),
                content: content.map_or(before.content, str::to_owned),
                ..before
            };
            records.put(name, &template);
            if records.commit().await? {
                return Ok(Some(template));
            }
        }
    }

    /// A template, if there is one of that name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn push_template(&self, app: &App, name: &str) -> Result<Option<PushTemplate>, StoreError> {
        self.find(app, name).await
    }

    /// Deletes a template. Returns it as it was; `None` if there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_push_template(&self, app: &App, name: &str) -> Result<Option<PushTemplate>, StoreError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let Some(template) = records.get::<PushTemplate>(name).await? else { return Ok(None) };
            records.delete(RecordKind::PushTemplate, name);
            if records.commit().await? {
                return Ok(Some(template));
            }
        }
    }

    /// Templates in the order of their names, behind `after`, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn push_templates(
        &self,
        app: &App,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<PushTemplate>, StoreError> {
        let Page { items, next } =
            self.page::<PushTemplate>(app, Scan { after, ..Scan::of(RecordKind::PushTemplate, "", limit) }).await?;
        Ok(Page { items: items.into_iter().map(|(_, template)| template).collect(), next })
    }
}
