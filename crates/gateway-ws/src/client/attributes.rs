//! The client's requests about attributes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Attribute, Client, ClientError, replies};

impl Client {
    /// Replaces the user's own attributes.
    ///
    /// # Errors
    /// When a limit is broken, or the connection ended.
    pub async fn set_user_attributes(&self, attributes: &[(&str, &str)]) -> Result<(), ClientError> {
        self.done("set_user_attributes", json!({ "attributes": pairs(attributes) })).await
    }

    /// Adds or overwrites some of the user's own attributes.
    ///
    /// # Errors
    /// When a limit is broken, or the connection ended.
    pub async fn update_user_attributes(&self, attributes: &[(&str, &str)]) -> Result<(), ClientError> {
        self.done("update_user_attributes", json!({ "attributes": pairs(attributes) })).await
    }

    /// Deletes some of the user's own attributes.
    ///
    /// # Errors
    /// When asked too often, or the connection ended.
    pub async fn delete_user_attributes(&self, keys: &[&str]) -> Result<(), ClientError> {
        self.done("delete_user_attributes", json!({ "keys": keys })).await
    }

    /// Deletes the user's own attributes.
    ///
    /// # Errors
    /// When asked too often, or the connection ended.
    pub async fn clear_user_attributes(&self) -> Result<(), ClientError> {
        self.done("clear_user_attributes", json!({})).await
    }

    /// A user's attributes, all or those of some keys.
    ///
    /// # Errors
    /// When the user is not online, or the connection ended.
    pub async fn user_attributes(
        &self,
        user: &str,
        keys: Option<&[&str]>,
    ) -> Result<BTreeMap<String, String>, ClientError> {
        let fields = json!({ "user": user, "keys": keys });
        let found: replies::UserAttributes = self.request("get_user_attributes", fields).await?;
        Ok(found.attributes)
    }

    /// Replaces a channel's attributes; `notify` tells its members.
    ///
    /// # Errors
    /// When a limit is broken, or the connection ended.
    pub async fn set_channel_attributes(
        &self,
        channel: &str,
        attributes: &[(&str, &str)],
        notify: bool,
    ) -> Result<(), ClientError> {
        let fields = json!({ "channel": channel, "attributes": pairs(attributes), "notify": notify });
        self.done("set_channel_attributes", fields).await
    }

    /// Adds or overwrites some of a channel's attributes; `notify` tells its members.
    ///
    /// # Errors
    /// When a limit is broken, or the connection ended.
    pub async fn update_channel_attributes(
        &self,
        channel: &str,
        attributes: &[(&str, &str)],
        notify: bool,
    ) -> Result<(), ClientError> {
        let fields = json!({ "channel": channel, "attributes": pairs(attributes), "notify": notify });
        self.done("update_channel_attributes", fields).await
    }

    /// Deletes some of a channel's attributes; `notify` tells its members.
    ///
    /// # Errors
    /// When asked too often, or the connection ended.
    pub async fn delete_channel_attributes(
        &self,
        channel: &str,
        keys: &[&str],
        notify: bool,
    ) -> Result<(), ClientError> {
        let fields = json!({ "channel": channel, "keys": keys, "notify": notify });
        self.done("delete_channel_attributes", fields).await
    }

    /// Deletes a channel's attributes; `notify` tells its members.
    ///
    /// # Errors
    /// When asked too often, or the connection ended.
    pub async fn clear_channel_attributes(&self, channel: &str, notify: bool) -> Result<(), ClientError> {
        self.done("clear_channel_attributes", json!({ "channel": channel, "notify": notify })).await
    }

    /// A channel's attributes, all or those of some keys.
    ///
    /// # Errors
    /// When asked too often, or the connection ended.
    pub async fn channel_attributes(
        &self,
        channel: &str,
        keys: Option<&[&str]>,
    ) -> Result<Vec<Attribute>, ClientError> {
        let fields = json!({ "channel": channel, "keys": keys });
        let found: replies::ChannelAttributes = self.request("get_channel_attributes", fields).await?;
        Ok(found.attributes)
    }
}

fn pairs(attributes: &[(&str, &str)]) -> Value {
    attributes.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}
